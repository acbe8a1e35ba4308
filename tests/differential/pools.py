"""Ids, names and references that arguments of random operations are chosen from."""

from collections.abc import Mapping

from tests.differential.choices import KINDS
from tests.differential.oracle import Oracle
from tests.population import named


def pools(oracle: Oracle, everybody: Mapping[str, Oracle]) -> dict[str, list[str]]:
    """Give ids and names that find something, that are another viewer's, and that are nobody's."""
    mine = {kind: [found["id"] for found in oracle.everything(kind)] for kind in KINDS}
    others = [found["id"] for other in everybody.values() for kind in KINDS for found in other.everything(kind)[:3]]
    wrong = [
        "",
        "_",
        "city",
        "city_",
        "case_7",
        f"case_{named('plain')}",
        "City_bergen",
        "feed_bergen",
        "event_1_1",
        "nothing_x",
    ]
    references = {kind: [found["reference"] for found in oracle.everything(kind)] for kind in ("Case", "Referral")}
    organisations = [
        "organisation_pen-centre",
        "organisation_icorn",
        "organisation_arts-haven",
        "organisation_x",
        "city_bergen",
    ]
    spread = [ids[at] for ids in mine.values() for at in (0, -1) if ids]
    return {
        "Query.id": [*spread, *others, *wrong], "CaseBy.id": [*mine["Case"], *wrong, "case_x"], "ReferralBy.id": [*mine["Referral"], *wrong],
        "CaseBy.reference": [*references["Case"], "C-0", ""], "ReferralBy.reference": [*references["Referral"], "R-0"],
        "organisation": organisations, "city.code": ["bergen", "krakow", "harbour", "x", ""], "organisation.code": ["icorn", "harbour-city", "x"],
        "__type": ["Case", "Category", "CaseBy", "Node", "DateTime", "Nothing"],
    }  # fmt: skip
