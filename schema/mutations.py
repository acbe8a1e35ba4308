"""This module holds what can be changed. Each mutation is one function of the same name in hub.commands."""

import strawberry

from auth.scopes import Scope
from schema.case_inputs import (
    EraseCaseInput,
    HoldCaseInput,
    LegalHoldInput,
    LinkRecordsInput,
    MergeCasesInput,
    OpenCaseInput,
    SealCaseInput,
    ShareCaseInput,
    UnshareCaseInput,
    UpdateCaseInput,
)
from schema.cases import Case
from schema.cities import City, PublishVacanciesInput
from schema.consents import Consent, RecordConsentInput, WithdrawConsentInput
from schema.directives import OPERATION
from schema.emergencies import ApproveBreakGlassInput, BreakGlassInput
from schema.fields import Command, Problems, asked, column, one, source
from schema.presentations import AnswerPresentationInput, Presentation, PresentCaseInput
from schema.referrals import Referral, SubmitReferralInput
from schema.residencies import OfferResidencyInput, Residency, UpdateResidencyInput
from schema.retractions import AcknowledgeRetractionInput, Retraction
from schema.rows import CASE, CITY, CONSENT, PRESENTATION, REFERRAL, RESIDENCY, RETRACTION


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
class PresentationPayload:
    """What became of a presentation."""

    presentation: Presentation | None = one(PRESENTATION, "{row}.name = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ResidencyPayload:
    """What became of a residency."""

    residency: Residency | None = one(RESIDENCY, "{row}.residency_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class CityPayload:
    """What became of a city. Its number is the last part of the subject."""

    city: City | None = one(CITY, "lpad(to_hex({row}.city), 32, '0')::uuid = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class RetractionPayload:
    """What became of a retraction."""

    retraction: Retraction | None = one(RETRACTION, "{row}.name = {subject}::uuid")
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

    @asked(Command(), Scope.CASES_WRITE)
    def update_case(self, input: UpdateCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Change a case as it was read; a version that is no longer there changes nothing."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def seal_case(self, input: SealCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Take a case out of every agreement's reach, or put it back."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_WRITE)
    def share_case(self, input: ShareCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Open one case to one organisation, until a date."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def unshare_case(self, input: UnshareCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """End what was shared of a case with an organisation."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_WRITE)
    def merge_cases(self, input: MergeCasesInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Make one case of two of the same person; of what was agreed for each, the stricter holds."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def link_records(self, input: LinkRecordsInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Say that feed records are of the same person as a case."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def unlink_records(self, input: LinkRecordsInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Say that feed records are not of a case's person after all."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def hold_case(self, input: HoldCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Never to this organisation, whatever else allows it."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.CASES_WRITE)
    def present_case(self, input: PresentCaseInput) -> CasePayload | None:  # noqa: A002 the contract's name
        """Show a candidate to cities for a time; consent decides what each of them sees."""
        raise NotImplementedError

    @asked(Command(), Scope.PRESENTATIONS_ANSWER)
    def answer_presentation(self, input: AnswerPresentationInput) -> PresentationPayload | None:  # noqa: A002 the contract's name
        """The city's own decision."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE)
    def offer_residency(self, input: OfferResidencyInput) -> ResidencyPayload | None:  # noqa: A002 the contract's name
        """Offer a person a stay in a city."""
        raise NotImplementedError

    @asked(Command(), Scope.CASES_WRITE, Scope.RESIDENCIES_WRITE)
    def update_residency(self, input: UpdateResidencyInput) -> ResidencyPayload | None:  # noqa: A002 the contract's name
        """Say how a residency goes on: once it is accepted, what other cities were shown ends at once."""
        raise NotImplementedError

    @asked(Command(), Scope.RESIDENCIES_WRITE, Scope.CASES_WRITE)
    def publish_vacancies(self, input: PublishVacanciesInput) -> CityPayload | None:  # noqa: A002 the contract's name
        """Publish how many places a city has for people."""
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
