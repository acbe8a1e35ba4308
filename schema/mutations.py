"""This module holds what can be changed. Each mutation is one function of the same name in hub.commands."""

import strawberry

from auth.scopes import Scope
from schema.access import (
    CreateClientInput,
    DisableClientInput,
    DisableUserInput,
    InviteUserInput,
    UpdateClientInput,
    UpdateUserInput,
)
from schema.cases import (
    EraseCaseInput,
    HoldCaseInput,
    LegalHoldInput,
    LinkRecordsInput,
    OpenCaseInput,
    ShareCaseInput,
)
from schema.consents import RecordConsentInput, WithdrawConsentInput
from schema.directives import OPERATION
from schema.emergencies import ApproveBreakGlassInput, BreakGlassInput
from schema.fields import Command, asked
from schema.organisations import CreateOrganisationInput, UpdateOrganisationInput
from schema.payloads import (
    CasePayload,
    ClientPayload,
    ConsentPayload,
    ErasePayload,
    OrganisationPayload,
    ReferralPayload,
    RetractionPayload,
    UserPayload,
)
from schema.referrals import SubmitReferralInput
from schema.retractions import AcknowledgeRetractionInput


@strawberry.type(directives=[OPERATION])
class Mutation:
    """What can be changed."""

    @asked(Command(), Scope.REFERRALS_SUBMIT)
    def submit_referral(self, input: SubmitReferralInput) -> ReferralPayload | None:  # noqa: A002 the contract's name
        """Hand a person to another organisation, within what they agreed to."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def open_case(self, input: OpenCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Open a case from a referral, a feed record, or a first conversation."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_WRITE)
    def share_case(self, input: ShareCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Open one case to one organisation, until a date."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def link_records(self, input: LinkRecordsInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Say that feed records are of the same person as a case."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def hold_case(self, input: HoldCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Never to this organisation, whatever else allows it."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_ERASE)
    def set_legal_hold(self, input: LegalHoldInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Forbid that a case is erased, or end that; it takes two people."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_ERASE)
    def erase_case(self, input: EraseCaseInput) -> ErasePayload | None:  # noqa: A002 the contract's name
        """Destroys the case's key and those of all that was said of the person; backups follow when their key epoch is destroyed."""
        raise NotImplementedError

    @asked(Command(), Scope.CONSENTS_WRITE)
    def record_consent(self, input: RecordConsentInput) -> ConsentPayload | None:  # noqa: A002 the contract's name
        """Record the person's decision about a case or a referral."""
        raise NotImplementedError

    @asked(Command(), Scope.CONSENTS_WRITE)
    def withdraw_consent(self, input: WithdrawConsentInput) -> ConsentPayload | None:  # noqa: A002 the contract's name
        """Take a decision back. It ends at once, everywhere."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_READ, Scope.REFERRALS_READ)
    def acknowledge_retraction(self, input: AcknowledgeRetractionInput) -> RetractionPayload | None:  # noqa: A002 the contract's name
        """Give the receipt: what was retracted is deleted, or not yet, and then why."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_EMERGENCY)
    def break_glass(self, input: BreakGlassInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Emergency access for a limited time; an event waits for the case's owners at once."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_EMERGENCY)
    def approve_break_glass(self, input: ApproveBreakGlassInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """ICORN's approval, without which a sealed case does not open."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ORGANISATIONS_MANAGE)
    def create_organisation(self, input: CreateOrganisationInput) -> OrganisationPayload | None:  # noqa: A002 the contract's name
        """Add a partner, and invite its first admin, who lets in everybody else. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ORGANISATIONS_MANAGE)
    def update_organisation(self, input: UpdateOrganisationInput) -> OrganisationPayload | None:  # noqa: A002 the contract's name
        """Change what an organisation is called, or suspend it, or let it in again. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def create_client(self, input: CreateClientInput) -> ClientPayload | None:  # noqa: A002 the contract's name
        """Register a client by its public keys. Nobody gives a scope that their own token does not have, or that is above the organisation's ceiling."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def update_client(self, input: UpdateClientInput) -> ClientPayload | None:  # noqa: A002 the contract's name
        """Change a client: what it is called, what it may do, which keys it has. What is taken away ends at once."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def disable_client(self, input: DisableClientInput) -> ClientPayload | None:  # noqa: A002 the contract's name
        """End a client and its tokens, at once and for good."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def invite_user(self, input: InviteUserInput) -> UserPayload | None:  # noqa: A002 the contract's name
        """Invite a colleague. Nobody gives a scope or a role that they do not have."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def update_user(self, input: UpdateUserInput) -> UserPayload | None:  # noqa: A002 the contract's name
        """Change what somebody is called, what they are, and what they may do."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def disable_user(self, input: DisableUserInput) -> UserPayload | None:  # noqa: A002 the contract's name
        """End somebody's access, at once and for good."""
        raise NotImplementedError
