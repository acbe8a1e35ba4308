"""This module tells what the hub is for, in five acts against the running hub; each claim is checked as it is made."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from hub.demo.actor import Actor, Told, operation
from hub.demo.newcomer import Newcomer
from hub.demo.stage import Stage

AGREED = ["OVERVIEW", "PROFILE", "IDENTITY", "CONTACT", "THREAT"]


@dataclass
class Story:
    """The story of one newcomer, as the Northlight PEN Centre, ICORN's desk and Arts Haven meet it."""

    stage: Stage
    pen: Actor
    desk: Actor
    arts: Actor
    newcomer: Newcomer
    offer_place: Callable[[str], Awaitable[None]]
    """Records that a city offers a place, for the case that the desk knows by this id."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    desk_case: str = ""
    pen_case: str = ""
    records: list[str] = field(default_factory=list)

    async def tell(self) -> None:
        """Tell all of it; raise StoryError at the first claim that does not hold."""
        for actor in (self.pen, self.desk, self.arts):
            await actor.sign_in()
        await self.a_partner_asks()
        await self.a_partner_refers()
        await self.the_desk_opens_the_case()
        await self.the_desk_sees_all_of_it()
        await self.another_partner_sees_none_of_it()
        await self.consent_is_withdrawn()

    def key(self, what: str) -> str:
        """Give an idempotency key of this telling."""
        return f"story-{self.run}-{what}"

    async def shown(self, actor: Actor, name: str, given: Any = None, **variables: Any) -> Told:
        """Ask and show both sides."""
        told = await actor.ask(name, **variables)
        self.stage.show(actor.title, operation(name), told.document, told.seconds, given)
        return told

    async def a_partner_asks(self) -> None:
        """Act one: what a sister organisation may see, and why not more."""
        self.stage.act(
            1,
            "A sister organisation asks",
            "The Northlight PEN Centre's program signs an assertion with its private key and gets a token bound to a second one.",
        )
        began = perf_counter()
        token = await self.pen.client.token()
        got = {
            "token_type": "DPoP",
            "expires_in": round(token.expires_at - datetime.now(UTC).timestamp()),
            "scope": " ".join(sorted(token.scopes)),
        }
        self.stage.show(
            self.pen.title,
            "# POST /oauth/token\n# grant_type=client_credentials\n# client_assertion=<private_key_jwt>\n# DPoP: <proof>",
            got,
            perf_counter() - began,
        )
        self.stage.claim(
            "The token opens what this client may ever do, and nothing to whoever steals it.",
            "cases:whereabouts" not in token.scopes,
        )
        told = await self.pen.ask("cases_open_to_us")
        nodes = [edge["node"] for edge in told.data["cases"]["edges"]]
        rules = [node.pop("disclosure") for node in nodes]
        for node in nodes:
            node["disclosure"] = ["… see below"]
        self.stage.show(self.pen.title, operation("cases_open_to_us"), told.document, told.seconds)
        example = next((i for i, found in enumerate(rules) if any("CONSENT" in rule["missing"] for rule in found)), 0)
        self.stage.table(
            f"Why, for {nodes[example]['reference']}:",
            ("category", "seen", "on what basis", "what is missing"),
            [
                (
                    r["category"],
                    "yes" if r["visible"] else "-",
                    " ".join(r["basis"]).lower(),
                    " ".join(r["missing"]).lower(),
                )
                for r in rules[example]
            ],
        )
        self.stage.claim(
            "Every case says what is withheld, by policy alone, and why.",
            nodes and all(node["withheld"] for node in nodes),
        )
        self.stage.claim(
            "A name is there exactly where the person agreed that this organisation may have it.",
            all((n["identity"] is None) == ("IDENTITY" in n["withheld"]) for n in nodes),
        )
        self.stage.claim(
            "An agreement alone shows nothing: where the person has not consented, that is what is missing.",
            any(rule["basis"] and rule["missing"] == ["CONSENT"] for found in rules for rule in found),
        )

    async def a_partner_refers(self) -> None:
        """Act two: a referral, and its retry."""
        her = self.newcomer
        self.stage.act(
            2,
            "It refers a person",
            f"{her.given} {her.family} agrees that ICORN and the PEN Centre may know her, and says so of nobody else.",
        )
        given = {
            "idempotencyKey": self.key("submit"),
            "clientReference": her.reference,
            "discipline": "WRITER",
            "origin": "IR",
            "urgency": "URGENT",
            "reason": "She was told to report again within the month.",
            "person": her.person(),
            "consents": [
                {
                    "decision": "ALLOW",
                    "recipients": {"organisations": ["organisation_icorn", "organisation_pen-centre"]},
                    "categories": AGREED,
                    "givenOn": datetime.now(UTC).date().isoformat(),
                    "evidence": "Signed form, kept by the PEN Centre.",
                }
            ],
        }
        brief = {"input": {**given, "person": dict.fromkeys(given["person"], "…")}}
        told = await self.shown(self.pen, "submit_referral", brief, input=given)
        referral = told.data["submitReferral"]["referral"]
        again = await self.pen.ask("submit_referral", input=given)
        self.stage.claim(
            "The referral is with ICORN.",
            referral and referral["status"] == "SUBMITTED" and referral["to"]["name"] == "ICORN",
        )
        self.stage.claim(
            f"Sent again with the same key, it is the same referral and nothing new ({again.seconds * 1000:.1f} ms).",
            again.data["submitReferral"]["referral"] == referral,
        )

    async def the_desk_opens_the_case(self) -> None:
        """Act three: a case from the referral, and the records of sister systems that speak of the same person."""
        her = self.newcomer
        self.stage.act(
            3,
            "ICORN's desk opens a case",
            "It finds the referral in its queue, opens a case from it, and asks both sister systems who they know.",
        )
        queue = await self.desk.ask("newly_referred", **{"from": "organisation_pen-centre"})
        (found,) = [edge["node"] for edge in queue.data["referrals"]["edges"]] or [None]
        same = found and found["person"]["identity"] and found["person"]["identity"]["familyName"] == her.family
        self.stage.claim(
            f"The newest referral from the PEN Centre is {her.given} {her.family}'s ({queue.seconds * 1000:.1f} ms).",
            same,
        )
        given = {"idempotencyKey": self.key("open"), "referral": found["id"], "riskLevel": "HIGH"}
        told = await self.shown(self.desk, "open_case", {"input": given}, input=given)
        case = told.data["openCase"]["case"]
        self.stage.claim(
            "The case has what the referral said of her.", case and case["identity"]["familyName"] == her.family
        )
        self.desk_case = case["id"]
        told = await self.desk.ask("same_person")
        feeds = told.data["feedRecords"]
        for feed in feeds:
            feed["records"] = [r for r in feed["records"] if self._is_her(r["person"]["identity"])]
        self.records = [record["id"] for feed in feeds for record in feed["records"]]
        self.stage.show(self.desk.title, operation("same_person"), told.document, told.seconds)
        self.stage.claim(
            "Both sister systems know her, each under a number of its own, as of half a minute ago at most.",
            all(feed["state"] == "FRESH" and len(feed["records"]) == 1 for feed in feeds),
        )
        given = {
            "idempotencyKey": self.key("link"),
            "case": self.desk_case,
            "records": self.records,
            "reason": "Same name, same birth date.",
        }
        told = await self.desk.ask("link_records", input=given)
        self.stage.claim(
            f"linkRecords says that they are hers: a decision of staff, never of the machine ({told.seconds * 1000:.1f} ms).",
            told.data["linkRecords"]["problems"] == [],
        )
        await self.offer_place(self.desk_case)
        self.stage.say("[dim]Meanwhile Harbour City offers her a place.[/dim]")

    def _is_her(self, identity: dict[str, Any] | None) -> bool:
        return identity is not None and (identity["familyName"], identity["bornOn"]) == (
            self.newcomer.family,
            self.newcomer.born_on,
        )

    async def the_desk_sees_all_of_it(self) -> None:
        """Act three, continued: the golden operation."""
        variables = {"case": self.desk_case, "maxAge": "PT5M"}
        told = await self.shown(self.desk, "combined_view", variables, **variables)
        case = told.data["case"]
        self.stage.claim(
            "One answer: her case, who referred her, where she may go, and what each sister system says of her, each with its freshness.",
            case["referrals"]["edges"][0]["node"]["from"]["name"] == "Northlight PEN Centre"
            and case["residencies"][0]["city"]["name"] == "Harbour City"
            and all(len(feed["records"]) == 1 and feed["fetchedAt"] for feed in case["feedRecords"]),
        )
        again = await self.desk.ask("combined_view", **variables)
        self.stage.claim(
            f"Asked again, now that its plan is known, it takes {again.seconds * 1000:.1f} ms.",
            again.data["case"]["reference"] == case["reference"],
        )

    async def another_partner_sees_none_of_it(self) -> None:
        """Act four: the same question, from one whom the person did not name."""
        self.stage.act(
            4,
            "Another partner asks the same",
            "Arts Haven's agreement covers writers from Iran, but she did not agree that Arts Haven may know her.",
        )
        before = await self.pen.ask("our_referral", clientReference=self.newcomer.reference)
        self.pen_case = before.data["referral"]["case"]["id"]
        told = await self.arts.ask("combined_view", case=self.desk_case)
        self.stage.show(
            self.arts.title, "# CombinedView, as above", told.document, told.seconds, {"case": self.desk_case}
        )
        self.stage.claim(
            "There is nothing; the errors name scopes it lacks, as they would for any id.", told.data == {"case": None}
        )
        nobody = await self.arts.ask("combined_view", case=f"case_{uuid.uuid4()}")
        others = await self.arts.ask("combined_view", case=self.pen_case)
        self.stage.claim(
            "Asked by the desk's id, by the PEN Centre's or by one that never was, the answers are the same, byte for byte.",
            told.answer.body == nobody.answer.body == others.answer.body and told.answer.status == nobody.answer.status,
        )
        mine = await self.arts.ask("our_cases")
        listed = {edge["node"]["id"] for edge in mine.data["cases"]["edges"]}
        self.stage.claim(
            f"None of its {len(listed)} cases is hers, and they are counted without her.",
            listed and not listed & {self.desk_case, self.pen_case} and len(listed) == mine.data["cases"]["totalCount"],
        )
        own = await self.arts.ask("our_own_feed", feed="arts-haven")
        (record,) = [
            r for r in own.data["feedRecords"][0]["records"] if r["sourceId"] == str(6000 + self.newcomer.number)
        ]
        self.stage.claim(
            "Its own record of her is its own, and does not tell that there is a case.", record["case"] is None
        )

    async def consent_is_withdrawn(self) -> None:
        """Act five: what was seen is gone with the next answer."""
        her = self.newcomer
        self.stage.act(5, "She withdraws her consent", "Until now the PEN Centre sees her case:")
        before = await self.shown(
            self.pen, "our_referral", {"clientReference": her.reference}, clientReference=her.reference
        )
        seen = before.data["referral"]["case"]
        self.stage.claim("It sees her name, as she agreed.", seen and seen["identity"]["familyName"] == her.family)
        agreed = await self.desk.ask("consents_of_case", case=self.desk_case)
        (consent,) = [
            c
            for c in agreed.data["case"]["consents"]
            if c["organisation"] and c["organisation"]["code"] == "pen-centre"
        ]
        given = {"idempotencyKey": self.key("withdraw"), "consent": consent["id"], "reason": "She asked by telephone."}
        told = await self.shown(self.desk, "withdraw_consent", {"input": given}, input=given)
        self.stage.claim("The desk records it.", told.data["withdrawConsent"]["consent"]["withdrawnAt"])
        after = await self.pen.ask("our_referral", clientReference=her.reference)
        self.stage.say("The PEN Centre asks again:")
        self.stage.show(self.pen.title, "# the same operation", after.document, after.seconds)
        self.stage.claim(
            "The very next answer has lost her case; its own referral is still its own.",
            after.data == {"referral": {"status": "SUBMITTED", "case": None}},
        )
        mine = await self.pen.ask("our_cases")
        listed = {edge["node"]["id"] for edge in mine.data["cases"]["edges"]}
        self.stage.claim("Nor is it in the list any more.", listed and self.pen_case not in listed)
        await self.what_it_was_shown_is_deleted()

    async def what_it_was_shown_is_deleted(self) -> None:
        """Act five, its end: whoever was shown what it may hold no longer is told, and gives a receipt."""
        told = await self.shown(self.pen, "what_we_must_delete")
        edges = told.data["retractions"]["edges"]
        owed = [edge["node"] for edge in edges if edge["node"]["subject"] == self.pen_case]
        self.stage.claim(
            "It is told to delete what it was shown.", any("IDENTITY" in node["categories"] for node in owed)
        )
        receipt = {"idempotencyKey": self.key("receipt"), "retraction": owed[0]["id"], "deleted": True}
        done = await self.shown(self.pen, "give_receipt", {"input": receipt}, input=receipt)
        self.stage.claim("It gives the receipt.", done.data["acknowledgeRetraction"]["retraction"]["acknowledgedAt"])
