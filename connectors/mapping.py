"""This module turns a sister feed's records into canonical ones by rules an administrator declares.

    {"sourceId": "id",
     "discipline": {"path": "profession", "table": {"reporter": "JOURNALIST"}, "default": "OTHER"},
     "submittedAt": {"path": "created", "date": "%d/%m/%Y %H:%M"},
     "person": {"profile": {"works": {"each": "books", "fields": {"title": "name"}}},
                "whereabouts": {"country": "now.country", "inHiding": {"value": false}}}}

A rule is a JMESPath expression, or an object: `path` or the constant `value`, a `table` of the source's values, a
`default` for none (or one the table lacks), the format of a `date`, and how to `split` a text. A category is there only
if the record itself says something of it: constants and defaults do not make one.

`sample`, beside the rules, is an invented record in the source's shape: every rule must find something in it.
"""

import msgspec

from connectors.problem import ConfigurationError, Flaw
from connectors.record import PERSON, CanonicalRecord, Overview, Reject, fingerprint
from connectors.rules import PartRule, Unmapped, part_rule
from connectors.targets import targets


class Mapping:
    """Checked rules; `map` never raises."""

    def __init__(self, overview: PartRule, person: dict[str, PartRule], rules: bytes) -> None:
        self._overview = overview
        self._person = person
        self._source_id = next(rule for rule in overview.fields if rule.path == ("sourceId",))
        self.rules = rules
        #: Where the rules are that look for something.
        self.places = frozenset(place for rule in (overview, *person.values()) for place in rule.places())

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a record into the hub's words, or say why not; both know the source's id as far as it can be told."""
        if not isinstance(raw, dict):
            return Reject(None, "NOT_AN_OBJECT")
        source_id, said = None, set[str]()
        try:
            source_id = self._id_of(raw)
            overview = self._overview.apply(raw, said)
            parts = {category: rule.apply(raw, said) for category, rule in self._person.items()}
        except Unmapped as unmapped:
            return Reject(source_id, unmapped.reason)
        if not isinstance(overview, Overview):
            return Reject(source_id, "MISSING_VALUE sourceId")
        person = {category: part for category, part in parts.items() if part is not None}
        return CanonicalRecord(overview, person, fingerprint(raw, self.rules), frozenset(said))

    def _id_of(self, raw: object) -> str | None:
        value, _ = self._source_id.apply(raw, set())
        return str(value) if value is not None else None


def compile_mapping(document: object) -> Mapping:
    """Check an administrator's document; raise ConfigurationError with all that is wrong at once."""
    flaws: list[Flaw] = []
    if not isinstance(document, dict):
        raise ConfigurationError((Flaw((), "a mapping is an object: a rule for each field, and 'person'"),))
    known = (*targets(Overview), "person", "sample")
    flaws.extend(
        Flaw((str(name),), f"is no field here; choose from {', '.join(known)}") for name in document.keys() - set(known)
    )
    own = {name: rule for name, rule in document.items() if name in targets(Overview)}
    overview = part_rule(Overview, own, (), flaws)
    person = _person_rules(document.get("person", {}), flaws)
    if flaws:
        raise ConfigurationError(tuple(flaws))
    rules = {name: rule for name, rule in document.items() if name != "sample"}
    mapping = Mapping(overview, person, fingerprint(rules, msgspec.json.encode("mapping 1")))
    if flaws := _sample_flaws(mapping, document):
        raise ConfigurationError(tuple(flaws))
    return mapping


def _sample_flaws(mapping: Mapping, document: dict[str, object]) -> list[Flaw]:
    """Try the rules on the sample, if there is one; what it holds is not repeated."""
    if "sample" not in document:
        return []
    mapped = mapping.map(document["sample"])
    if isinstance(mapped, Reject):
        return [Flaw(("sample",), f"cannot be mapped: {mapped.reason}")]
    silent = sorted(mapping.places - mapped.said)
    return [Flaw(tuple(place.split(".")), "finds nothing in the sample") for place in silent]


def _person_rules(document: object, flaws: list[Flaw]) -> dict[str, PartRule]:
    if not isinstance(document, dict):
        flaws.append(Flaw(("person",), f"must be an object with any of {', '.join(PERSON)}"))
        return {}
    flaws.extend(
        Flaw(("person", str(name)), f"is no category a feed may fill; choose from {', '.join(PERSON)}")
        for name in document.keys() - PERSON
    )
    return {
        name.upper(): part_rule(part, document[name], ("person", name), flaws)
        for name, part in PERSON.items()
        if name in document
    }
