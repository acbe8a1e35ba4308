"""The disclosure policy in plain Python, at one moment: an own reading of it, which shares nothing with the views in SQL."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from tests.differential.tables import CATEGORIES, Row, Tables

ORDER = ("OVERVIEW", *CATEGORIES)
PERSONAL = CATEGORIES[:-1]
BASES = ("ICORN", "AGREEMENT", "REFERRER", "RECIPIENT", "PRESENTED", "SHARE", "EMERGENCY")
LIVE = {"SUBMITTED", "RECEIVED", "INFORMATION_REQUESTED", "IN_REVIEW", "ACCEPTED"}


def during(now: datetime, starts: Iterable[Any], ends: Iterable[Any]) -> bool:
    """Does a time lie in a period?"""
    return all(start <= now for start in starts) and all(now < end for end in ends if end is not None)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def opening(emergency: Row, case: Row) -> tuple[list[Any], list[Any]]:
    """When glass that was broken for a case opens, and when it closes again; never, while a sealed case waits for ICORN."""
    starts = emergency["approved_at"] or (None if case["sealed"] else emergency["asked_at"])
    return ([starts], [starts + timedelta(hours=12)]) if starts else ([datetime.max.replace(tzinfo=UTC)], [None])


class Disclosure:
    """What one organisation may see, whatever its scopes."""

    def __init__(self, tables: Tables, organisation: int) -> None:
        self._tables, self._organisation = tables, organisation
        self._seen: dict[tuple[Any, str], bool] = {}
        self.icorn = tables.the("organisation", id=organisation)["kind"] == "ICORN"

    def bases(self, case: Row, category: str) -> list[str]:
        """On what grounds the organisation has a category of a case."""
        tables, mine, now = self._tables, {"organisation": self._organisation}, self._tables.now
        found = {"ICORN"} if self.icorn else set()
        for row in tables.all("agreement", **mine):
            if row["approved_at"] is None or case["sealed"] or category not in row["categories"]:
                continue
            covered = (row["origins"] is None or case["origin"] in row["origins"]) and (
                row["disciplines"] is None or case["discipline"] in row["disciplines"]
            )
            if covered and during(now, [row["valid_from"], row["approved_at"]], [row["valid_until"], row["ended_at"]]):
                found.add("AGREEMENT")
        for row in tables.all("referral", case_id=case["id"]):
            if row["sender"] == self._organisation and category == "OVERVIEW":
                found.add("REFERRER")
            live = row["recipient"] == self._organisation and row["status"] in LIVE
            if live and category in row["shared_categories"]:
                found.add("RECIPIENT")
        for row in tables.all("presentation", case_id=case["id"], **mine):
            deciding = row["status"] in ("OPEN", "INVITED")
            if deciding and category in row["categories"] and during(now, [row["presented_at"]], [row["until"]]):
                found.add("PRESENTED")
        for row in tables.all("share", case_id=case["id"], **mine):
            if category in row["categories"] and during(now, [row["starts"]], [row["until"], row["ended_at"]]):
                found.add("SHARE")
        found |= self._broken(case, category)
        return sorted(found, key=BASES.index)

    def _broken(self, case: Row, category: str) -> set[str]:
        rows = self._tables.all("emergency", case_id=case["id"], organisation=self._organisation)
        broken = any(category in r["categories"] and during(self._tables.now, *opening(r, case)) for r in rows)
        return {"EMERGENCY"} if broken else set()

    def _consented(self, consents: list[Row], organisation: int, category: str) -> bool:
        now = self._tables.now
        said = {
            row["decision"]
            for row in consents
            if row["organisation"] in (None, organisation)
            and category in row["categories"]
            and during(now, [_midnight(row["given_on"])], [_after(row["valid_until"]), row["withdrawn_at"]])
        }
        return said == {"ALLOW"}

    def _held(self, case: Any) -> bool:
        rows = self._tables.all("hold", case_id=case, organisation=self._organisation)
        return case is not None and any(during(self._tables.now, [r["starts"]], [r["ended_at"]]) for r in rows)

    def _frozen(self, case: Any, origins: set[Any]) -> bool:
        """Is it stopped for everyone but ICORN?"""
        rows = [r for r in self._tables.all("frozen") if during(self._tables.now, [r["starts"]], [r["ended_at"]])]
        meant = [r for r in rows if r["country"] in origins - {None} or (case is not None and r["case_id"] == case)]
        return bool(meant) and not self.icorn

    def case(self, case: Row, category: str = "OVERVIEW") -> bool:
        """May the organisation see a category of a case?"""
        if (case["id"], category) not in self._seen:
            self._seen[case["id"], category] = self._case(case, category)
        return self._seen[case["id"], category]

    def _case(self, case: Row, category: str) -> bool:
        if not self.bases(case, category) or self._held(case["id"]):
            return False
        if self._frozen(case["id"], {case["origin"]}):
            return False
        consents = self._tables.all("consent", case_id=case["id"])
        counted = [row for row in consents if self._opens(row, self._organisation, category)]
        if not self.icorn and not self._consented(counted, self._organisation, category):
            return False
        return category == "OVERVIEW" or self.case(case)

    def _by_icorn(self, consent: Row) -> bool:
        return bool(self._tables.the("organisation", id=consent["recorded_by"])["kind"] == "ICORN")

    def _opens(self, consent: Row, organisation: int, category: str) -> bool:
        """Does a decision count for a case? What a partner wrote down opens nothing until ICORN accepts it."""
        if consent["decision"] == "DENY" or self._by_icorn(consent):
            return True
        came = [row for row in self._tables.all("referral") if row["id"] == consent["referral_id"]]
        handed_over = any(category in row["shared_categories"] for row in came)
        return bool(consent["accepted"] and (consent["recorded_by"] != organisation or handed_over))

    def _roles(self, referral: Row) -> set[str]:
        """In what parts the organisation may see a referral now."""
        cases = self._tables.all("case_file", id=referral["case_id"])
        if self._frozen(referral["case_id"], {referral["origin"], *(case["origin"] for case in cases)}):
            return set()
        found = {"SENDER"} if referral["sender"] == self._organisation else set()
        held = self._held(referral["case_id"])
        if referral["recipient"] == self._organisation and not held and self._agreed(referral, "OVERVIEW"):
            found.add("RECIPIENT")
        concerned = referral["recipient"] == self._organisation or referral["case_id"] is not None
        if self.icorn and concerned and not held:
            found.add("ICORN")
        return found

    def _agreed(self, referral: Row, category: str, *, to_sender: bool = False) -> bool:
        here, recipient = self._tables.all("consent", referral_id=referral["id"]), referral["recipient"]
        of_case = (
            self._tables.all("consent", case_id=referral["case_id"]) if referral["case_id"] and not to_sender else []
        )
        consents = here if to_sender else []
        for row in () if to_sender else (*here, *of_case):
            vouched = row["accepted"] or row["referral_id"] == referral["id"]
            if row["decision"] == "DENY" or self._by_icorn(row) or (vouched and row["recorded_by"] != recipient):
                consents.append(row)
        return category in referral["shared_categories"] and self._consented(consents, recipient, category)

    def referral(self, referral: Row) -> bool:
        """May the organisation see a referral?"""
        return bool(self._roles(referral))

    def referred(self, referral: Row, category: str) -> bool:
        """May it read a category of what was sent of the person?"""
        roles, shared = self._roles(referral), category in referral["shared_categories"]
        if not shared:
            return False
        if "SENDER" in roles and self._agreed(referral, category, to_sender=True):
            return True
        live = "RECIPIENT" in roles and referral["status"] in LIVE
        return "ICORN" in roles or (live and self._agreed(referral, category))

    def consent(self, row: Row, *, case: bool, referral: bool) -> bool:
        """May it know of a decision of the person, when it may know of the case or the referral?"""
        concerned = row["decision"] == "ALLOW" and row["organisation"] in (None, self._organisation)
        mine = self.icorn or row["recorded_by"] == self._organisation or concerned
        return bool((case or referral) and mine)


def _after(day: Any) -> datetime | None:
    return None if day is None else _midnight(day) + timedelta(days=1)
