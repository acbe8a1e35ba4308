"""This module holds what can be changed. Each mutation is one function of the same name in hub.commands."""

import strawberry

from auth.scopes import Scope
from schema.agreements import Agreement, ApproveAgreementInput, EndAgreementInput, ProposeAgreementInput
from schema.cases import (
    Case,
    EraseCaseInput,
    HoldCaseInput,
    LegalHoldInput,
    LinkRecordsInput,
    OpenCaseInput,
    ShareCaseInput,
)
from schema.consents import Consent, RecordConsentInput, WithdrawConsentInput
from schema.directives import OPERATION
from schema.emergencies import ApproveBreakGlassInput, BreakGlassInput
from schema.fields import Command, Problems, asked, column, one, source
from schema.referrals import Referral, SubmitReferralInput
from schema.retractions import AcknowledgeRetractionInput, Retraction
from schema.rows import AGREEMENT, CASE, CONSENT, REFERRAL, RETRACTION


@strawberry.type(description="Expected trouble with an input: shown beside the field it concerns. Nothing was changed.")
class Problem:
    """Expected trouble with an input."""

    code: str
    message: str
    path: list[str]


@strawberry.type
class ReferralPayload:
    """What became of a referral."""

    referral: Referral | None = one(REFERRAL, "{row}.referral_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class CasePayload:
    """What became of a case."""

    case: Case | None = one(CASE, "{row}.case_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ErasePayload:
    """What became of an erasure. Nothing of the case is there to be told."""

    erased: bool = column("{outcome} = 'DONE'")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ConsentPayload:
    """What became of a consent."""

    consent: Consent | None = one(CONSENT, "{row}.consent_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class RetractionPayload:
    """What became of a retraction."""

    retraction: Retraction | None = one(RETRACTION, "{row}.name = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class AgreementPayload:
    """What became of an agreement."""

    agreement: Agreement | None = one(AGREEMENT, "{row}.agreement = {subject}::uuid")
    problems: list[Problem] = source(Problems())


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

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def propose_agreement(self, input: ProposeAgreementInput) -> AgreementPayload | None:  # noqa: A002 the contract's name
        """Propose an agreement, and sign it for one's own side. Nothing opens until the other side has signed too."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def approve_agreement(self, input: ApproveAgreementInput) -> AgreementPayload | None:  # noqa: A002 the contract's name
        """Sign for one's own side. With the second signature it is in force, and what it replaces has ended."""
        raise NotImplementedError

    @asked(Command(), Scope.ACCESS_MANAGE)
    def end_agreement(self, input: EndAgreementInput) -> AgreementPayload | None:  # noqa: A002 the contract's name
        """End an agreement, or a proposal, at once, with what was to replace it: what it opened closes in this very transaction."""
        raise NotImplementedError
