"""This module lists the holes made on purpose, one or more for each channel, and by whom and how each is to be found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.interference import leaks_in_answers as answers
from tests.interference import leaks_in_commands as commands
from tests.interference import leaks_in_following as following
from tests.interference import leaks_in_plans as plans
from tests.interference import leaks_in_webhooks as webhooks
from tests.interference.hooked import HEAR
from tests.interference.leaks_in_plans import planted
from tests.interference.names import FAMILY_NAMES, pairwise, row_id
from tests.interference.pairs import IDEMPOTENCY_KEYS, REFERENCES
from tests.interference.twins import Asked, Leak

CHANNELS: Final = (
    "existence by id", "unique constraint", "foreign key", "ON CONFLICT", "totalCount", "hasNextPage", "page length", "filter", "sort",
    "search", "cursor", "error text", "error path", "suggestion", "introspection", "coercion message", "ETag/updatedAt",
    "idempotency replay", "webhook", "subscription", "an edge into a scoped type", "federation _entities",
    "statistics by differencing", "rate-limit header", "cost", "a log line readable by the asker",
)  # fmt: skip
"""By what one could tell what is hidden from what is not there."""
ALL_SCOPES, READER, SENDER, RECIPIENT, CITY = (
    "a partner with every scope", "a partner that reads overviews", "a sender of referrals", "a recipient of referrals", "a city",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A leak of a channel, and who finds it: with operations drawn at random, or with those of `asks` where drawing seldom comes by."""

    channel: str
    finder: str
    leak: Leak
    asks: tuple[Asked, ...] = ()


def _each(query: str, values: Sequence[str]) -> tuple[Asked, ...]:
    return tuple((query.replace("VALUE", value), None) for value in values)


def _once(query: str, variables: dict[str, Any] | None = None) -> tuple[Asked, ...]:
    return ((query, variables),)


SAID: Final = 'reason: "Asked to leave", person: {profile: {biography: "Two books", languages: ["fa"]}, identity: {familyName: "Petrova"}}'
AGREED: Final = '{decision: ALLOW, recipients: {everyPartner: true}, categories: [OVERVIEW, PROFILE, IDENTITY], givenOn: "2026-05-01", evidence: "Form"}'
DENIED: Final = (
    '{decision: DENY, recipients: {everyPartner: true}, categories: [PROFILE], givenOn: "2026-05-01", evidence: "Call"}'
)
SUBMIT: Final = (
    f"mutation {{ submitReferral(input: {{GIVEN, discipline: WRITER, urgency: URGENT, {SAID}, consents: [{AGREED}]}})"
    " { referral { id } problems { code message path } } }"
)
HIDDEN_IDS: Final = [f"case_{row_id('case', number)}" for number in range(5)]


def record_consent(key: str, case: str) -> str:
    """Write a change that names a case."""
    given = f'idempotencyKey: "{key}", case: "{case}", consent: {DENIED}'
    return f"mutation {{ recordConsent(input: {{{given}}}) {{ problems {{ code }} }} }}"


TRUST: Final = tuple((record_consent(f"trust-{named}", named), None) for named in HIDDEN_IDS)
REFER: Final = _each(SUBMIT.replace("GIVEN", 'idempotencyKey: "refer-VALUE", clientReference: "VALUE"'), REFERENCES)
RETRY: Final = _each(SUBMIT.replace("GIVEN", 'idempotencyKey: "VALUE"'), IDEMPOTENCY_KEYS)
NAMES: Final = _each('{ cases(filter: {familyName: "VALUE"}) { totalCount edges { cursor } } }', FAMILY_NAMES)
COUNT: Final = _once("{ cases { totalCount } }")
PAGE: Final = _once("{ cases(first: 2) { edges { node { id } } pageInfo { hasNextPage } } }")
CHILDREN: Final = _once("{ cases { edges { node { consents { id } } } } }")
NAMED: Final = ", ".join(
    f'{{__typename: "Case", id: "case_{pairwise("icorn", "case", number)}"}}' for number in range(5)
)
ENTITIES: Final = _once(f"{{ _entities(representations: [{NAMED}]) {{ ... on Case {{ status }} }} }}")
EDGE: Final = _once("{ referrals { edges { node { case { id } } } } }")
WITHHELD: Final = _once("{ cases { edges { node { withheld } } } }")
OWED: Final = _once("{ retractions { totalCount edges { node { id subject } } } }")
BROKEN: Final = _once("{ cases { edges { node { emergencies { askedAt reason } } } } }")
PASSED_ON: Final = _each(
    f'mutation {{ respondToReferral(input: {{idempotencyKey: "pass-VALUE", referral: "referral_{pairwise("open-stage", "referral", 101)}",'
    ' response: REDIRECT, redirectTo: "organisation_VALUE"}) { problems { code message } } }',
    ("pen-centre",),
)
ACTING: Final = _once("{ organisations { edges { node { users { id name } clients { clientId } } } } }")
RECORDS: Final = _once("{ feedRecords { records { id } } }")
FOLLOW: Final = _once("subscription { referralEvents { id kind } }")
MISFIT: Final = _once(
    "query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"openedFrom": "the day before"}}
)

LEAKS: Final = (
    Planted("existence by id", READER, planted("a case is there for whoever names it", plans.by_id)),
    Planted("unique constraint", SENDER, commands.UNIQUE, REFER),
    Planted("foreign key", RECIPIENT, commands.TRUSTED, TRUST),
    Planted("ON CONFLICT", SENDER, commands.ON_CONFLICT, REFER),
    Planted("totalCount", READER, planted("totalCount counts every case", plans.total), COUNT),
    Planted("hasNextPage", READER, planted("there is more when there is more of all", plans.has_more), PAGE),
    Planted("page length", READER, planted("a page is taken before the hidden is left out", plans.page_length), PAGE),
    Planted("filter", CITY, planted("a filter matches a hidden name", plans.hidden_name), NAMES),
    Planted("sort", READER, planted("the order follows hidden residencies", plans.order)),
    Planted(
        "search", READER, planted("a city is found by who stays there", plans.search),
        _once('{ cities(filter: {name: "nothing"}) { edges { node { code } } } }'),
    ),
    Planted("cursor", READER, planted("a cursor holds what is hidden", plans.cursor)),
    Planted("error text", SENDER, commands.ERROR_TEXT, REFER),
    Planted(
        "error path", ALL_SCOPES, answers.answered("an error stands where something is withheld", answers.where_it_is_withheld),
        _once("{ cases { edges { node { id health { needs } } } } }"),
    ),
    Planted(
        "suggestion", READER, answers.answered("a reference that there is, is suggested", answers.did_you_mean),
        _once('{ case(by: {reference: "C-0000-0000-0000-0000"}) { id } }'),
    ),
    Planted(
        "introspection", READER, answers.answered("an enum has the values that are in use", answers.values_in_use),
        _once('{ __type(name: "RiskLevel") { name enumValues { name } } }'),
    ),
    Planted("coercion message", READER, answers.answered("a value that fits is offered", answers.fitting_values), MISFIT),
    Planted("ETag/updatedAt", READER, planted("updatedAt moves with hidden edits", plans.moved)),
    Planted("ETag/updatedAt", READER, answers.answered("an ETag is of rows, not of the view", answers.etag), COUNT),
    Planted("idempotency replay", SENDER, commands.REPLAY, RETRY),
    Planted("webhook", ALL_SCOPES, webhooks.TOLD, (HEAR,)),
    Planted("webhook", ALL_SCOPES, webhooks.COUNTED, (HEAR,)),
    Planted("webhook", ALL_SCOPES, webhooks.RETRIED, (HEAR,)),
    Planted("subscription", SENDER, following.TOLD, FOLLOW),
    Planted("subscription", SENDER, following.EMPTY, FOLLOW),
    Planted("an edge into a scoped type", ALL_SCOPES, planted("a referral leads to a hidden case", plans.edge), EDGE),
    Planted("federation _entities", READER, planted("a router may name any case", plans.representations), ENTITIES),
    Planted(
        "statistics by differencing", ALL_SCOPES, planted("statistics count what is there now", plans.live_count),
        _once("{ statistics(groupBy: []) { cells { count } } }"),
    ),
    Planted("rate-limit header", READER, answers.RATE, COUNT),
    Planted("cost", READER, answers.COST, COUNT),
    Planted(
        "a log line readable by the asker", ALL_SCOPES, commands.LOG,
        (*COUNT, *_once("{ auditEvents { edges { node { action categories outcome } } } }")),
    ),
    Planted("a child's id", RECIPIENT, planted("a child's id counts its siblings", plans.siblings), CHILDREN),
    Planted("withheld", ALL_SCOPES, planted("withheld tells what there is", plans.withheld), WITHHELD),
    Planted("retractions", READER, planted("everyone reads every retraction", plans.retractions), OWED),
    Planted("broken glass", ALL_SCOPES, planted("whoever sees a case sees all its broken glass", plans.glass), BROKEN),
    Planted("a redirection", RECIPIENT, commands.REDIRECTS, PASSED_ON),
    Planted("who acts for others", ALL_SCOPES, planted("everyone sees who acts for whom", plans.people), ACTING),
    Planted("the second wall", CITY, commands.FEEDS, RECORDS),
)  # fmt: skip
