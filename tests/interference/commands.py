"""This module says what may be asked of each mutation: one entry a mutation, and it is drawn, walked and counted like the others.

An entry holds inputs as GraphQL writes them, without the idempotency key. Where one of them says `$case`, a case is named: one that
the asker knows, or may only guess. A consent that is recorded only ever denies: what one opens to oneself is no longer hidden.
"""

from collections.abc import Callable
from string import Template
from typing import Final

_SAID: Final = 'person: {profile: {biography: "Two books", languages: ["fa"]}, identity: {familyName: "Petrova"}}'
_ALLOWED: Final = (
    '{decision: ALLOW, recipients: {everyPartner: true}, categories: [%s], givenOn: "2026-05-01", evidence: "Form"}'
)
_REFERRED: Final = f'discipline: WRITER, urgency: URGENT, reason: "Asked to leave", {_SAID}'
_AGREED: Final = f"{_REFERRED}, consents: [{_ALLOWED % 'OVERVIEW, PROFILE, IDENTITY'}]"
_DENIED: Final = 'consent: {decision: DENY, recipients: {everyPartner: true}, categories: [$category], givenOn: "2026-05-01", evidence: "Call"}'

_KEYS: Final = '{keys: [{kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "1"}]}'  # of RFC 8037, appendix A

COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "submitReferral": (
        f"to: $organisation, clientReference: $reference, {_AGREED}",
        f"clientReference: $reference, {_AGREED}",
        _AGREED,
        f"to: $case, {_AGREED}",
        f"to: $organisation, {_REFERRED}, consents: [{_ALLOWED % 'PROFILE'}]",
    ),
    "respondToReferral": (
        "referral: $referral, response: ACKNOWLEDGE",
        'referral: $referral, response: REVIEW, note: "Asked"',
        'referral: $referral, response: REQUEST_INFORMATION, note: "Asked"',
        f"referral: $referral, response: GIVE_INFORMATION, {_SAID}",
        'referral: $referral, response: GIVE_INFORMATION, person: {health: {needs: "Rest"}}',
        "referral: $referral, response: REDIRECT, redirectTo: $organisation",
        "referral: $referral, response: ACCEPT",
        "referral: $referral, response: ACCEPT, case: $case",
        "referral: $referral, response: DECLINE, declineReason: NO_CAPACITY",
        "referral: $referral, response: COMPLETE",
    ),
    "sendMessage": ('referral: $referral, body: "Asked"',),
    "withdrawReferral": ('referral: $referral, reason: "Asked"',),
    "openCase": (
        "referral: $referral, riskLevel: LOW",
        "referral: $referral, feedRecord: $record, riskLevel: LOW",
        "feedRecord: $record, riskLevel: LOW",
        "riskLevel: LOW",
    ),
    "shareCase": ('case: $case, organisation: $organisation, categories: [OVERVIEW], reason: "Asked"',),
    "holdCase": (
        'case: $case, organisation: $organisation, held: true, reason: "Asked"',
        'case: $case, organisation: $organisation, held: false, reason: "Asked"',
    ),
    "linkRecords": ('case: $case, records: [$record], reason: "Asked"',),
    "unlinkRecords": ('case: $case, records: [$record], reason: "Asked"',),
    "updateCase": (
        f'case: $case, expectedVersion: "1", riskLevel: LOW, {_SAID}',
        'case: $case, expectedVersion: "2", status: WITHDRAWN',
        'case: $case, expectedVersion: "1", person: {health: {needs: "Rest"}, whereabouts: null}, assessment: {notes: "Asked"}',
        'case: $case, expectedVersion: "0", status: ALUMNUS',
    ),
    "sealCase": ('case: $case, sealed: true, reason: "Asked"', 'case: $case, sealed: false, reason: "Asked"'),
    "unshareCase": ('case: $case, organisation: $organisation, reason: "Asked"',),
    "mergeCases": ('keep: $case, merge: $case, reason: "Asked"',),
    "presentCase": ('case: $case, cities: [$city], categories: [OVERVIEW, $category], until: "2026-11-01T00:00:00Z"',),
    "answerPresentation": (
        'presentation: $presentation, answer: DECLINE, note: "Asked"',
        "presentation: $presentation, answer: INVITE",
    ),
    "offerResidency": ("case: $case, city: $city", 'case: $case, city: $city, startsOn: "2026-07-01"'),
    "updateResidency": (
        "residency: $residency, status: ACTIVE",
        "residency: $residency, status: ACCEPTED",
        "residency: $residency, status: COMPLETED",
        "residency: $residency, status: CANCELLED",
    ),
    "publishVacancies": ("city: $city, vacancies: 1",),
    "recordConsent": (f"case: $case, {_DENIED}", f"referral: $referral, {_DENIED}"),
    "acknowledgeRetraction": (
        "retraction: $retraction, deleted: true",
        'retraction: $retraction, deleted: false, note: "Asked"',
        "retraction: $retraction, deleted: false",
    ),
    "breakGlass": (
        'case: $case, categories: [$category], reason: "Asked"',
        'case: $case, categories: [OVERVIEW, $category], reason: "Asked"',
    ),
    "approveBreakGlass": ("case: $case", 'case: $case, organisation: $organisation, askedUntil: "2026-06-01T12:00:00Z"'),
    "eraseCase": (
        'case: $case, confirmReference: $caseReference, reason: "Asked"',
        'case: $case, confirmReference: "C-0000-0000-0000-0000", reason: "Asked"',
    ),
    "setLegalHold": ('case: $case, held: true, reason: "Asked"', 'case: $case, held: false, reason: "Asked"'),
    "createWebhook": (
        'organisation: $own, url: "https://partner.example/events", events: [ACCEPTED]',
        'organisation: $organisation, url: "http://inside.example", events: []',
    ),
    "resumeWebhook": ("webhook: $webhook",),
    "deleteWebhook": ("webhook: $webhook",),
    "proposeAgreement": (
        'organisation: $organisation, purpose: "PROTECTION", categories: [OVERVIEW, $category]',
        'organisation: $organisation, purpose: "PROTECTION", categories: [OVERVIEW], origins: ["IR"], replaces: $agreement',
        'organisation: $organisation, purpose: "PROTECTION", categories: [$category], replaces: $agreement',
    ),
    "approveAgreement": ("agreement: $agreement",),
    "endAgreement": ('agreement: $agreement, reason: "Asked"',),
    "createOrganisation": (
        'code: "new-house", name: "New House", kind: SISTER, firstAdminEmail: "sara@new.example", firstAdminName: "Sara"',
        'code: "new-port", name: "New Port", kind: CITY, country: "NO", firstAdminEmail: "sara@port.example", firstAdminName: "Sara"',
        'code: "pen-centre", name: "PEN", kind: SISTER, website: "https://pen.example", city: $city, firstAdminEmail: "sara@pen.example", firstAdminName: "Sara"',
    ),
    "createClient": (
        f'organisation: $organisation, name: "New", scopes: ["cases:read"], jwks: {_KEYS}',
        f'organisation: $own, name: "New", scopes: ["cases:read", "cases:health"], jwks: {_KEYS}',
        f'organisation: $own, name: "New", scopes: ["cases:erase"], jwks: {_KEYS}',
    ),
    "updateClient": ('client: $client, name: "Renamed"', f"client: $client, jwks: {_KEYS}", 'client: $client, scopes: ["cases:read", "cases:health"]'),
    "disableClient": ('client: $client, reason: "Asked"',),
    "inviteUser": (
        'organisation: $organisation, email: "new@house.example", name: "New", roles: [PARTNER_STAFF], scopes: ["cases:read"]',
        'organisation: $own, email: "new@house.example", name: "New", roles: [PARTNER_STAFF], scopes: ["cases:read"]',
        'organisation: $own, email: "user0.1@pen-centre.example", name: "New", roles: [PARTNER_STAFF], scopes: ["cases:read"]',
        'organisation: $own, email: "new@house.example", name: "New", roles: [PARTNER_ADMIN], scopes: ["cases:erase"]',
    ),
    "updateUser": ('user: $user, name: "Renamed"', 'user: $user, scopes: ["cases:read", "cases:health"]', "user: $user, roles: [PARTNER_STAFF]"),
    "disableUser": ('user: $user, reason: "Asked"',),
    "updateOrganisation": ('organisation: $organisation, name: "Renamed"', "organisation: $organisation, suspended: false"),
    "createFeed": (
        'organisation: $organisation, code: "new-feed", kind: KOBO, every: "PT1H", settings: {url: "https://kobo.example/x", auth: {scheme: "token", secret: "new-feed_token"}}, mapping: {sourceId: "_root", sample: {_root: "1"}}',
        'organisation: $organisation, code: "pen-centre", kind: REST, every: "PT1S", settings: {}, mapping: {}',
    ),
    "updateFeed": (
        "feed: $feed, paused: true",
        'feed: $feed, every: "PT2H", mapping: {sourceId: "_root", sample: {_root: "1"}}',
        'feed: $feed, settings: {url: "https://elsewhere.example/x", auth: {scheme: "token", secret: "other"}}',
    ),
    "syncFeed": ("feed: $feed",),
    "withdrawConsent": ("consent: $consent", 'consent: $consent, reason: "Called"'),
}  # fmt: skip


class _Words(dict[str, str]):
    """What stands for a `$word`: asked for anew each time it is read."""

    def __init__(self, say: Callable[[str], str]) -> None:
        super().__init__()
        self._say = say

    def __missing__(self, word: str) -> str:
        return self._say(word)


def written(template: str, say: Callable[[str], str]) -> str:
    """Write a template out as GraphQL; `say` gives what stands for a word."""
    return Template(template).substitute(_Words(say))


def command(template: str, key: str, say: Callable[[str], str]) -> str:
    """Write a command's input out, under an idempotency key."""
    return f'{{idempotencyKey: "{key}", {written(template, say)}}}'
