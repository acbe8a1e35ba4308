"""This module lists the kinds of systems that can be read, and makes a connector from a feed's settings and mapping."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from connectors.civicrm import CiviConnector, CiviSettings
from connectors.csv_file import CsvConnector, CsvSettings, csv_flaws
from connectors.fhir import FhirConnector, FhirSettings, fhir_flaws
from connectors.graphql import GraphQLConnector, GraphQLSettings, query_flaws
from connectors.hub import HubConnector, HubSettings
from connectors.kobo import KoboConnector, KoboSettings
from connectors.mapping import Mapping, compile_mapping
from connectors.odk import OdkConnector, OdkSettings
from connectors.primero import PrimeroConnector, PrimeroSettings, primero_flaws
from connectors.problem import ConfigurationError, Flaw
from connectors.protocol import Connector
from connectors.rest import RestConnector, RestSettings, rest_flaws
from connectors.settings import HttpSettings, read_settings
from connectors.surroundings import Surroundings, url_flaws


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of system: its settings, what more can be wrong with them than their types, and how it is read."""

    name: str
    summary: str
    settings: type[HttpSettings]
    flaws: Callable[[Any], list[Flaw]]
    build: Callable[[Any, Mapping, Surroundings], Connector]

    def schema(self) -> dict[str, Any]:
        """Describe the settings as a JSON Schema."""
        return msgspec.json.schema(self.settings)


def _nothing(_: Any) -> list[Flaw]:
    """Find no more wrong than what the types say."""
    return []


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("GRAPHQL", "A GraphQL API with a Relay connection", GraphQLSettings, query_flaws, GraphQLConnector),
        Kind("REST", "A JSON API paged by number, offset, cursor or link", RestSettings, rest_flaws, RestConnector),
        Kind("KOBO", "The submissions of a KoboToolbox form (API v2)", KoboSettings, _nothing, KoboConnector),
        Kind("CIVICRM", "An entity of a CiviCRM (APIv4)", CiviSettings, _nothing, CiviConnector),
        Kind("FHIR", "ServiceRequests, Tasks or Consents of a FHIR R4 server", FhirSettings, fhir_flaws, FhirConnector),
        Kind("PRIMERO", "The cases of a Primero v2, with referrals", PrimeroSettings, primero_flaws, PrimeroConnector),
        Kind("ODK", "The submissions of an ODK Central form (OData)", OdkSettings, _nothing, OdkConnector),
        Kind("CSV", "A CSV file with HXL hashtags, over HTTPS or SFTP", CsvSettings, csv_flaws, CsvConnector),
        Kind("HUB", "The referrals of another hub", HubSettings, _nothing, HubConnector),
    )
}


def connect(kind: str, settings: object, mapping: object, surroundings: Surroundings) -> Connector:
    """Make the connector of a feed; raise ConfigurationError with all that is wrong with settings and mapping."""
    if kind not in KINDS:
        raise ConfigurationError((Flaw(("kind",), f"cannot be read yet; choose from {', '.join(KINDS)}"),))
    chosen = KINDS[kind]
    flaws: list[Flaw] = []
    read = _collect(flaws, "settings", lambda: _checked(chosen, settings, surroundings))
    rules = _collect(flaws, "mapping", lambda: compile_mapping(mapping))
    if read is None or rules is None:
        raise ConfigurationError(tuple(flaws))
    return chosen.build(read, rules, surroundings)


def check(kind: str, settings: object, mapping: object, surroundings: Surroundings) -> tuple[Flaw, ...]:
    """Say all that is wrong with a feed's configuration; nothing is opened and no secret is read."""
    try:
        connect(kind, settings, mapping, surroundings)
    except ConfigurationError as error:
        return error.flaws
    return ()


def settings_flaws(kind: str, settings: object, surroundings: Surroundings) -> tuple[Flaw, ...]:
    """Say all that is wrong with settings alone."""
    try:
        _checked(KINDS[kind], settings, surroundings)
    except ConfigurationError as error:
        return error.flaws
    return ()


def mapping_flaws(mapping: object, *, sampled: bool = False) -> tuple[Flaw, ...]:
    """Say all that is wrong with a mapping alone; with `sampled`, also that it has no sample to be tried on."""
    try:
        compile_mapping(mapping)
    except ConfigurationError as error:
        return error.flaws
    missing = sampled and isinstance(mapping, dict) and "sample" not in mapping
    return (Flaw(("sample",), "is required: an invented record of the source's shape"),) if missing else ()


def _checked(kind: Kind, document: object, surroundings: Surroundings) -> HttpSettings:
    settings = read_settings(kind.settings, document)
    flaws = url_flaws(settings, surroundings) + kind.flaws(settings)
    if flaws:
        raise ConfigurationError(tuple(flaws))
    return settings


T = TypeVar("T")


def _collect(flaws: list[Flaw], place: str, make: Callable[[], T]) -> T | None:
    try:
        return make()
    except ConfigurationError as error:
        flaws.extend(Flaw((place, *flaw.path), flaw.message) for flaw in error.flaws)
        return None
