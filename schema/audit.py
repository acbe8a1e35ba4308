"""This module holds the audit log as its readers see it: who looked at whom, when, why and on which basis, and that it is whole."""

import strawberry

from auth.scopes import Scope
from schema.edges import CaseRef, OrganisationRef
from schema.enums import Category, DisclosureBasis
from schema.fields import Order, Page, Where, column, named, noun, one, where
from schema.nodes import Node
from schema.rows import AUDIT_EVENT, AUDIT_HEAD, AUDITED_CASE, CASE, ORGANISATION, audited_as
from schema.scalars import DateTime

BY_NAME = Where(
    "{row}.leaf = split_part({value}::text, '_', 1)::uuid and {row}.ordinal = split_part({value}::text, '_', 2)::int",
    "ordinal:audit",
)
NEWEST = {"AT": Order("at", "timestamptz")}
AUDIT_EVENTS = Page(AUDIT_EVENT, "true", NEWEST, ("AT", "DESC"), Order("name", "text"))
ACCESS_LOG = Page(
    AUDIT_EVENT,
    audited_as("= {parent}.case_id"),
    NEWEST,
    ("AT", "DESC"),
    Order("name", "text"),
)
AUDIT_HEADS = Page(AUDIT_HEAD, "true", {"SIZE": Order("size", "bigint")}, ("SIZE", "DESC"), Order("size", "bigint"))


@noun(
    Scope.AUDIT_READ,
    rows=AUDIT_EVENT,
    places={"audit": BY_NAME},
    description="One access to one case or referral, or one that met nobody. Its time is the hour: the log says no more.",
)
class AuditEvent(Node):
    """One access to one case or referral, or one that met nobody."""

    id: strawberry.ID = column("'audit_' || {row}.leaf || '_' || {row}.ordinal")
    at: DateTime = column("at")
    organisation: OrganisationRef = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    actor: str = column("actor", description="The user's id, or the client's when no person was signed in.")
    action: str = column("action", description="What was asked: query or mutation, and its root fields.")
    outcome: str = column("outcome", description="DONE, or REFUSED when a mutation had problems and changed nothing.")
    case: CaseRef | None = one(
        CASE,
        AUDITED_CASE,
        description="The case it was about, while the viewer may see it.",
    )
    categories: list[Category] = column(
        "seen", description="What was open of this person; of an access that met nobody, what was asked for."
    )
    basis: list[DisclosureBasis] = column("basis")
    purpose: str | None = column("purpose")


@noun(Scope.AUDIT_READ)
class AuditHead:
    """What the hub signed of the viewer's log. Keep it: whoever has one can prove that nothing before it was changed."""

    tree_size: str = column("{row}.size::text")
    root_hash: str = column("encode({row}.root, 'base64')")
    signature: str = column(
        "signature", description="A JWS (RFC 7515) that says all of it; its keys are at /audit/jwks."
    )
    signed_at: DateTime = column("at")


@noun(
    description="That an entry stands in the viewer's log, against its newest signed head (RFC 9162, 2.1.3). Hashes are base64.",
)
class AuditProof:
    """That an entry stands in the viewer's log."""

    entry: str = column("entry", description="The text that the leaf hashes: SHA-256 over a zero byte and this.")
    leaf_index: str = column("{row}.leaf_index::text")
    tree_size: str = column("{row}.size::text")
    hashes: list[str] = column("audit_path({row}.organisation, {row}.leaf_index, {row}.size)")
    root_hash: str = column("encode({row}.root, 'base64')")
    signature: str = column(
        "signature", description="The head as signed: a JWS (RFC 7515); its keys are at /audit/jwks."
    )
    signed_at: DateTime = column("at")


@noun(
    Scope.AUDIT_READ,
    description="That the viewer's log of one signed head begins with the whole log of an earlier one (RFC 9162, 2.1.4).",
)
class AuditConsistency:
    """That the viewer's log of one signed head begins with the whole log of an earlier one."""

    from_size: str = column("{row}.from_size::text")
    from_signature: str = column("from_signature")
    to_size: str = column("{row}.to_size::text")
    to_signature: str = column("to_signature")
    hashes: list[str] = column("audit_consistency({row}.organisation, {row}.from_size, {row}.to_size)")


@strawberry.input
class AuditFilter:
    """Narrows a list of accesses. A case is named as the viewer's organisation knows it, and one it may not see matches nothing."""

    case: strawberry.ID | None = where(
        audited_as(
            "in (select w.case_id from case_access w where w.organisation = {org} and w.pairwise = {value}::uuid)"
        ),
        "uuid:case",
        Scope.CASES_READ,
    )
    organisation: strawberry.ID | None = where(
        "{row}.organisation = (select o.id from organisation o where o.code = {value}::text)", "key:organisation"
    )
    from_: DateTime | None = named("from", where("{row}.at >= {value}::timestamptz"))
    to: DateTime | None = where("{row}.at <= {value}::timestamptz")
    action: list[str] | None = where("{row}.action = any ({value}::text[])")
