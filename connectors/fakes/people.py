"""This module puts side by side what a demonstration needs of the two sister systems that do not exist."""

from connectors.fakes.arts_haven import MAPPING as REST_MAPPING
from connectors.fakes.arts_haven import RECORDS as REST_RECORDS
from connectors.fakes.arts_haven import SETTINGS as REST_SETTINGS
from connectors.fakes.northlight import MAPPING as GRAPHQL_MAPPING
from connectors.fakes.northlight import RECORDS as GRAPHQL_RECORDS
from connectors.fakes.northlight import SETTINGS as GRAPHQL_SETTINGS

#: (feed code, source id) of records that speak of one person, by person.
SAME_PERSON: dict[str, tuple[tuple[str, str], ...]] = {
    "Samira Vellani": (("pen-centre", "NL-3"), ("arts-haven", "5103")),
    "Tomas Berrow": (("pen-centre", "NL-7"), ("arts-haven", "5107")),
}

__all__ = [
    "GRAPHQL_MAPPING",
    "GRAPHQL_RECORDS",
    "GRAPHQL_SETTINGS",
    "REST_MAPPING",
    "REST_RECORDS",
    "REST_SETTINGS",
    "SAME_PERSON",
]
