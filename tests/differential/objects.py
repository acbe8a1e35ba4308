"""Plain resolvers: every object of the graph as one viewer may see it, each field a value or a function of its arguments."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from tests.differential import filters
from tests.differential.afterwards import emergencies, presentation, presentations
from tests.differential.agreements import agreements
from tests.differential.disclosure import ORDER, PERSONAL, Disclosure
from tests.differential.tables import CATEGORIES, Row, Tables
from tests.differential.words import day, duration, moment

Found = dict[str, Any]


class Objects:
    """The graph of one viewer. `page` and `feed_results` are given the rows; they know the rest of a field."""

    def __init__(self, tables: Tables, organisation: int, scopes: frozenset[str]) -> None:
        self.tables, self.organisation_id, self.scopes = tables, organisation, scopes
        self.disclosure = Disclosure(tables, organisation)
        self._key = hashlib.sha256(tables.the("organisation", id=organisation)["code"].encode()).digest()
        self.page: Callable[[Any, list[Row], Callable[[Row], Found], Found], Found] = _missing
        self.feed_results: Callable[[Any, list[Row], Row | None, Found], list[Found]] = _missing

    def pairwise(self, kind: str, row_id: UUID) -> UUID:
        """Give the id by which this organisation knows a case or referral."""
        return UUID(bytes=hmac.digest(self._key, kind.encode() + row_id.bytes, "sha256")[:16])

    def child(self, parent: UUID, row_id: UUID) -> str:
        """Give the name of a child of a case or referral."""
        return f"{parent}_{hashlib.sha256(parent.bytes + row_id.bytes).hexdigest()[:16]}"

    def open(self, category: str) -> bool:
        """Do the scopes open a category?"""
        return f"cases:{'read' if category == 'OVERVIEW' else category.lower()}" in self.scopes

    # What there is to see, each row with what its sort keys and ids need.

    def cases(self) -> list[Row]:
        """All cases the viewer may see."""
        rows = [row for row in self.tables.all("case_file") if self.disclosure.case(row)]
        return [{**row, "pairwise": self.pairwise("case", row["id"])} for row in rows]

    def referrals(self, **equal: Any) -> list[Row]:
        """All referrals the viewer may see."""
        rows = [row for row in self.tables.all("referral", **equal) if self.disclosure.referral(row)]
        return [{**row, "pairwise": self.pairwise("referral", row["id"])} for row in rows]

    def residencies(self, **equal: Any) -> list[Row]:
        """All residencies the viewer may see: those whose whereabouts it may."""
        if not self.scopes >= {"cases:read", "cases:whereabouts", "residencies:read"}:
            return []
        found = []
        for row in self.tables.all("residency", **equal):
            case = self.tables.the("case_file", id=row["case_id"])
            if self.disclosure.case(case, "WHEREABOUTS"):
                name = self.child(self.pairwise("case", case["id"]), row["id"])
                found.append({**row, "starts": row["starts_on"], "name": name})
        return found

    def records(self, **equal: Any) -> list[Row]:
        """All feed records the viewer may see."""
        mine = {row["id"] for row in self.tables.all("feed") if self.disclosure.icorn or row["organisation"] == self.organisation_id}  # fmt: skip
        rows = [row for row in self.tables.all("feed_record", present=True, **equal) if row["feed"] in mine]
        return [{**row, "moved_at": row["updated_at"], "record_id": row["id"]} for row in rows if self._feeds_open]

    @property
    def _feeds_open(self) -> bool:
        return "feeds:read" in self.scopes

    # The objects.

    def city(self, row: Row | None) -> Found | None:
        """A City."""
        return row and {
            "__typename": "City", "id": f"city_{row['code']}", **_same(row, "code name country latitude longitude vacancies"), "memberSince": row["member_since"],
            "residencies": lambda info, **given: self.page(info, self.residencies(city=row["id"]), self.residency, given),
        }  # fmt: skip

    def organisation(self, row: Row | None) -> Found | None:
        """An Organisation."""
        return row and {
            "__typename": "Organisation", "id": f"organisation_{row['code']}", **_same(row, "code name kind website"),
            "city": self.city(self.tables.one("city", id=row["city"])), "agreements": lambda _: agreements(self, row["id"]),
            "clients": self.clients(row["id"]), "users": [],
        }  # fmt: skip

    def clients(self, organisation: int) -> list[Found]:
        """Each Client of an organisation, which it and ICORN see; nobody signs in to this world."""
        if organisation != self.organisation_id and not self.disclosure.icorn:
            return []
        return [
            {
                "__typename": "Client", "id": f"client_{row['client_id']}", "clientId": row["client_id"], **_same(row, "name scopes status"),
                "jwks": json.loads(self.tables.the("auth.client_key", client_id=row["client_id"])["jwks"]),
                "createdAt": moment(row["created_at"]), "lastUsedAt": moment(row["last_used_at"]),
            }
            for row in sorted(self.tables.all("client", organisation=organisation), key=lambda row: row["client_id"])
        ]  # fmt: skip

    def organisation_by(self, row_id: int | None) -> Found | None:
        """An Organisation by its row."""
        return self.organisation(self.tables.one("organisation", id=row_id))

    def case_by(self, row_id: UUID | None) -> Found | None:
        """A Case by its row, if the viewer may see it."""
        return next((self.case(row) for row in self.cases() if row["id"] == row_id), None)

    def case(self, row: Row) -> Found:
        """A Case."""
        seen = {category: self.disclosure.case(row, category) for category in ORDER}
        hidden = [c for c in CATEGORIES if not (seen[c] and self.open(c))]
        return {
            "__typename": "Case", "id": f"case_{row['pairwise']}", **_same(row, "status discipline origin"), "reference": _spoken("C", row["pairwise"]),
            "riskLevel": row["risk_level"], "openedOn": day(row["opened_on"]), "updatedAt": moment(row["updated_at"]), "version": str(row["version"]) if self.disclosure.icorn else None,
            "withheld": hidden, **{c.lower(): self._document(row["id"], c) if seen[c] else None for c in CATEGORIES},
            "residencies": lambda _: [self.residency(r) for r in sorted(self.residencies(case_id=row["id"]), key=lambda r: (-(r["starts"] or date.max).toordinal(), r["name"]))],
            "presentations": lambda _: [presentation(self, p) for p in sorted(presentations(self, case_id=row["id"]), key=lambda p: (p["at"], p["name"].int))],
            "consents": lambda _: self.consents(case_id=row["id"]),
            "emergencies": lambda _: emergencies(self, row),
            "legalHold": self.legal_hold(row["id"]) if self.disclosure.icorn else None,
            "disclosure": lambda _: [self._rule(row, c, seen=seen[c]) for c in ORDER],
            "referrals": lambda info, **given: self.page(info, filters.referrals(self.tables, self.referrals(case_id=row["id"]), given.get("filter") or {}), self.referral, given),
            "feedRecords": lambda info, **given: self.feed_results(info, self.records(), row, given),
            # No worker is at work in this world: what was read in it is in no log yet.
            "accessLog": lambda info, **given: self.page(info, [], _missing, given),
        }  # fmt: skip

    def legal_hold(self, case: UUID) -> Found | None:
        """A LegalHold."""
        row = self.tables.one("legal_hold", case_id=case)
        return row and {"__typename": "LegalHold", **_same(row, "held proposed"), "since": moment(row["since"])}

    def _document(self, subject: UUID, category: str) -> Any:
        return _completed(self.tables.documents.get((subject, category)))

    def _rule(self, row: Row, category: str, *, seen: bool) -> Found:
        basis, opened = self.disclosure.bases(row, category), self.open(category)
        lacks = [] if seen else ["CONSENT" if basis else "BASIS"]
        return {"category": category, "visible": seen and opened, "basis": basis, "missing": ([] if opened else ["SCOPE"]) + lacks}  # fmt: skip

    def residency(self, row: Row) -> Found:
        """A Residency."""
        return {
            "__typename": "Residency", "id": f"residency_{row['name']}", "status": row["status"], "startsOn": day(row["starts_on"]), "endsOn": day(row["ends_on"]),
            "case": lambda _: self.case_by(row["case_id"]), "city": lambda _: self.city(self.tables.the("city", id=row["city"])),
        }  # fmt: skip

    def consents(self, **equal: Any) -> list[Found]:
        """The Consents about a case or referral that the viewer may see."""
        rows = [row for row in self.tables.all("consent", **equal) if self._known(row)]
        return [self.consent(row) for row in sorted(rows, key=lambda r: (r["given_on"], r["id"].int))]

    def _known(self, row: Row) -> bool:
        case, referral = self._about(row)
        return self.disclosure.consent(row, case=case is not None, referral=referral)

    def _about(self, row: Row) -> tuple[Found | None, bool]:
        case = self.case_by(row["case_id"]) if self.open("OVERVIEW") else None
        return case, "referrals:read" in self.scopes and bool(
            row["referral_id"] and self.referrals(id=row["referral_id"])
        )

    def consent(self, row: Row) -> Found:
        """A Consent."""
        (case, referral), ids = self._about(row), []
        if case:
            ids.append(f"consent_{self.child(self.pairwise('case', row['case_id']), row['id'])}")
        if referral:
            ids.append(f"agreed_{self.child(self.pairwise('referral', row['referral_id']), row['id'])}")
        mine = self.disclosure.icorn or row["recorded_by"] == self.organisation_id
        return {
            "__typename": "Consent", "id": ids[0], "_ids": ids, "case": case,
            **_same(row, "decision categories"), "organisation": self.organisation_by(row["organisation"]), "givenOn": day(row["given_on"]),
            "validUntil": day(row["valid_until"]), "withdrawnAt": moment(row["withdrawn_at"]), "evidence": row["evidence"] if mine else None,
        }  # fmt: skip

    def referral_by(self, row_id: UUID) -> Found | None:
        """A Referral by its row, if the viewer may see it."""
        return next(iter(map(self.referral, self.referrals(id=row_id))), None)

    def referral(self, row: Row) -> Found:
        """A Referral."""
        seen = [c for c in PERSONAL if self.disclosure.referred(row, c)]
        return {
            "__typename": "Referral", "id": f"referral_{row['pairwise']}", "reference": _spoken("R", row["pairwise"]),
            **_same(row, "status urgency discipline origin reason"), "clientReference": row["client_reference"] if row["sender"] == self.organisation_id else None,
            "from": self.organisation_by(row["sender"]), "to": self.organisation_by(row["recipient"]), "submittedAt": moment(row["submitted_at"]),
            "updatedAt": moment(row["updated_at"]), "sharedCategories": row["shared_categories"], "declineReason": row["decline_reason"],
            "person": self.person(row["id"], seen), "case": lambda _: self.case_by(row["case_id"]),
            "redirectedTo": lambda _: next(iter(map(self.referral, self.referrals(redirected_from=row["id"]))), None),
            "consents": lambda _: self.consents(referral_id=row["id"]),
            "events": lambda info, **given: self.page(info, self.tables.all("referral_event", referral_id=row["id"]), self.event, given),
            "messages": lambda info, **given: self.page(info, self.tables.all("message", referral_id=row["id"]), self.message, given),
        }  # fmt: skip

    def person(self, subject: UUID, seen: Iterable[str]) -> Found:
        """A ReferredPerson, of whom these categories may be read."""
        opened = [c for c in seen if self.open(c)]
        documents = {c.lower(): self._document(subject, c) if c in opened else None for c in PERSONAL}
        return {"__typename": "ReferredPerson", **documents, "withheld": [c for c in PERSONAL if c not in opened]}

    def event(self, row: Row) -> Found:
        """A ReferralEvent."""
        return {
            "__typename": "ReferralEvent", "id": f"event_{self.pairwise('referral', row['referral_id'])}_{row['ordinal']}", **_same(row, "kind status note"),
            "referral": lambda _: self.referral_by(row["referral_id"]), "by": self.organisation_by(row["organisation"]), "at": moment(row["at"]),
        }  # fmt: skip

    def message(self, row: Row) -> Found:
        """A Message."""
        return {
            "__typename": "Message", "id": f"message_{self.pairwise('referral', row['referral_id'])}_{row['ordinal']}", "body": row["body"],
            "from": self.organisation_by(row["organisation"]), "at": moment(row["at"]),
        }  # fmt: skip

    def feed(self, row: Row) -> Found:
        """A Feed."""
        now, synced = self.tables.now, row["last_synced_at"]
        late = synced is not None and synced + 2 * row["every"] < now and row["state"] == "FRESH"
        return {
            "__typename": "Feed", "id": f"feed_{row['code']}", **_same(row, "code kind paused"), "organisation": self.organisation_by(row["organisation"]),
            "state": "UNAVAILABLE" if synced is None else "STALE" if late else row["state"], "lastSyncedAt": moment(synced),
            "lag": None if synced is None else duration(now - synced), "lastProblem": row["last_problem"],
            "recordCount": len(self.records(feed=row["id"])),
        }  # fmt: skip

    def record(self, row: Row) -> Found:
        """A FeedRecord."""
        link = self.tables.one("feed_record_link", record=row["id"])
        return {
            "__typename": "FeedRecord", "id": f"record_{row['id']}", "feed": self.feed(self.tables.the("feed", id=row["feed"])),
            "sourceId": row["source_id"], "sourceUrl": row["source_url"], **_same(row, "discipline origin urgency"), "riskLevel": row["risk_level"],
            "submittedAt": moment(row["submitted_at"]), "updatedAt": moment(row["updated_at"]), "person": self.person(row["id"], PERSONAL),
            "case": lambda _: self.case_by(link["case_id"]) if link else None,
        }  # fmt: skip


def _missing(*_: Any) -> Any:
    raise NotImplementedError


def _same(row: Row, names: str) -> Found:
    return {name: row[name] for name in names.split()}


def _spoken(word: str, row_id: UUID) -> str:
    digits = row_id.hex[:16].upper()
    return f"{word}-" + "-".join(digits[i : i + 4] for i in range(0, 16, 4))


_LISTS = ("languages", "works", "pseudonyms", "nationalities", "channels", "sources", "incidents", "members")
_FLAGS = ("mayContactDirectly", "inHiding", "relocating", "safe")


def _completed(document: Any) -> Any:
    """Put in what a document leaves out and the schema does not: empty lists, and flags that are down."""
    if isinstance(document, list):
        return [_completed(item) for item in document]
    if not isinstance(document, dict):
        return document
    absent = {**{name: [] for name in _LISTS}, **dict.fromkeys(_FLAGS, False)}
    return {**absent, **{name: _completed(value) for name, value in document.items() if value is not None}}
