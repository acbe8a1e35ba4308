"""The disclosure policy in plain Python, at one instant, written from the design and not from the SQL: what reviewers read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

Row = Mapping[str, Any]
LIVE = {"SUBMITTED", "RECEIVED", "INFORMATION_REQUESTED", "IN_REVIEW", "ACCEPTED"}


@dataclass(frozen=True)
class Facts:
    """Every row that the policy looks at, and the instant at which it looks."""

    tables: Mapping[str, Sequence[Row]]
    at: datetime

    def of(self, table: str, **equal: Any) -> Iterable[Row]:
        """Give the rows of a table that have these values."""
        return (row for row in self.tables[table] if all(row[name] == value for name, value in equal.items()))

    def within(self, *bounds: datetime | None) -> bool:
        """Tell whether now is at or after the first bound and before all the others; None is no bound."""
        start, *ends = bounds
        return (start is None or start <= self.at) and all(end is None or self.at < end for end in ends)

    def is_icorn(self, organisation: int) -> bool:
        """Tell whether it is ICORN."""
        return any(row["kind"] == "ICORN" for row in self.of("organisation", id=organisation))

    def bases(self, organisation: int, case: Row, category: str) -> set[str]:
        """Give every reason why an organisation may have a category, if the person agrees."""
        mine = {"organisation": organisation, "case_id": case["id"]}
        found = {"ICORN"} if self.is_icorn(organisation) else set()
        for a in self.of("agreement", organisation=organisation):
            covers = (a["origins"] is None or case["origin"] in a["origins"]) and (a["disciplines"] is None or case["discipline"] in a["disciplines"])  # fmt: skip
            active = a["approved_at"] is not None and self.within(max(a["valid_from"], a["approved_at"]), a["valid_until"], a["ended_at"])  # fmt: skip
            if covers and active and category in a["categories"] and not case["sealed"]:
                found.add("AGREEMENT")
        for r in self.of("referral", case_id=case["id"]):
            if r["sender"] == organisation and category == "OVERVIEW":
                found.add("REFERRER")
            if r["recipient"] == organisation and r["status"] in LIVE and category in r["shared_categories"]:
                found.add("RECIPIENT")
        for p in self.of("presentation", **mine):
            if (
                p["status"] in ("OPEN", "INVITED")
                and category in p["categories"]
                and self.within(p["presented_at"], p["until"])
            ):
                found.add("PRESENTED")
        for s in self.of("share", **mine):
            if category in s["categories"] and self.within(s["starts"], s["until"], s["ended_at"]):
                found.add("SHARE")
        for e in self.of("emergency", **mine):
            starts = e["approved_at"] or e["asked_at"]
            waits = case["sealed"] and e["approved_at"] is None
            if category in e["categories"] and not waits and self.within(starts, starts + timedelta(hours=12)):
                found.add("EMERGENCY")
        return found

    def agrees(self, consents: Iterable[Row], organisation: int, category: str) -> bool:
        """Tell whether the person says yes, and nowhere no, to this organisation having this category."""
        said = {
            c["decision"]
            for c in consents
            if c["organisation"] in (None, organisation)
            and category in c["categories"]
            and self.within(_midnight(c["given_on"]), _end_of(c["valid_until"]), c["withdrawn_at"])
        }
        return said == {"ALLOW"}

    def counted(self, consents: Iterable[Row], organisation: int, category: str) -> list[Row]:
        """Leave out what opens no case: an ALLOW that ICORN neither wrote down nor accepted, or for its recorder more than it sent."""
        sent = {r["id"]: r["shared_categories"] for r in self.tables["referral"]}
        return [
            c
            for c in consents
            if c["decision"] == "DENY"
            or self.is_icorn(c["recorded_by"])
            or (c["accepted"] and (c["recorded_by"] != organisation or category in sent.get(c["referral_id"], ())))
        ]

    def held(self, organisation: int, case: Any) -> bool:
        """Tell whether the case is never to go to this organisation."""
        return case is not None and any(
            self.within(h["starts"], h["ended_at"]) for h in self.of("hold", case_id=case, organisation=organisation)
        )

    def frozen(self, organisation: int, case: Row | None, referral: Row | None = None) -> bool:
        """Tell whether a case or referral, or every one of its origin, is stopped for everyone but ICORN."""
        origins = {row["origin"] for row in (case, referral) if row is not None} - {None}
        return not self.is_icorn(organisation) and any(
            self.within(f["starts"], f["ended_at"])
            and (f["country"] in origins or (case is not None and f["case_id"] == case["id"]))
            for f in self.tables["frozen"]
        )

    def sees(self, organisation: int, case: Row, category: str = "OVERVIEW") -> bool:
        """Tell whether an organisation sees a category of a case."""
        if category != "OVERVIEW" and not self.sees(organisation, case):
            return False
        counted = self.counted(self.of("consent", case_id=case["id"]), organisation, category)
        made_of = [case["id"], *(m["former"] for m in self.of("merged_case", kept=case["id"]))]
        spoken = [[c for c in counted if c["decision"] == "DENY" or one not in c["silent_on"]] for one in made_of]
        agreed = self.is_icorn(organisation) or all(self.agrees(said, organisation, category) for said in spoken)
        stopped = self.held(organisation, case["id"]) or self.frozen(organisation, case)
        return bool(self.bases(organisation, case, category)) and agreed and not stopped

    def _sent(self, referral: Row, category: str, *, to_sender: bool = False) -> bool:
        here = list(self.of("consent", referral_id=referral["id"]))
        there = [
            c for c in self.tables["consent"] if c not in here and c["case_id"] and c["case_id"] == referral["case_id"]
        ]
        counted = [
            c
            for c in (*here, *there)
            if c["decision"] == "DENY"
            or (
                (c in here or not c["silent_on"])
                and (
                    self.is_icorn(c["recorded_by"])
                    or (c["recorded_by"] != referral["recipient"] and (c in here or c["accepted"]))
                )
            )
        ]
        about = here if to_sender else counted
        return category in referral["shared_categories"] and self.agrees(about, referral["recipient"], category)

    def parts(self, organisation: int, referral: Row) -> set[str]:
        """Give the parts in which an organisation may see a referral: its sender may, unless it is frozen."""
        case = next(iter(self.of("case_file", id=referral["case_id"])), None)
        if self.frozen(organisation, case, referral):
            return set()
        held = self.held(organisation, referral["case_id"])
        found = {"SENDER"} if referral["sender"] == organisation else set()
        if referral["recipient"] == organisation and self._sent(referral, "OVERVIEW") and not held:
            found.add("RECIPIENT")
        concerned = referral["recipient"] == organisation or referral["case_id"] is not None
        if self.is_icorn(organisation) and concerned and not held:
            found.add("ICORN")
        return found

    def reads(self, organisation: int, referral: Row, category: str) -> bool:
        """Tell whether an organisation reads a category of what a referral says of the person."""
        parts = self.parts(organisation, referral)
        if category not in referral["shared_categories"]:
            return False
        if "SENDER" in parts and self._sent(referral, category, to_sender=True):
            return True
        received = "RECIPIENT" in parts and referral["status"] in LIVE and self._sent(referral, category)
        return "ICORN" in parts or received


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: Any) -> datetime | None:
    return None if day is None else _midnight(day) + timedelta(days=1)
