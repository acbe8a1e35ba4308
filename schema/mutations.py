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
from schema.agreements import ApproveAgreementInput, EndAgreementInput, ProposeAgreementInput
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
from schema.cities import PublishVacanciesInput
from schema.consents import RecordConsentInput, WithdrawConsentInput
from schema.directives import OPERATION
from schema.emergencies import ApproveBreakGlassInput, BreakGlassInput
from schema.feeds import CreateFeedInput, SyncFeedInput, UpdateFeedInput
from schema.fields import Command, asked
from schema.organisations import CreateOrganisationInput, UpdateOrganisationInput
from schema.payloads import (
    AgreementPayload,
    CasePayload,
    CityPayload,
    ClientPayload,
    ConsentPayload,
    ErasePayload,
    FeedPayload,
    MessagePayload,
    OrganisationPayload,
    PresentationPayload,
    ReferralPayload,
    ResidencyPayload,
    RetractionPayload,
    UserPayload,
    WebhookPayload,
)
from schema.presentations import AnswerPresentationInput, PresentCaseInput
from schema.referrals import RespondToReferralInput, SendMessageInput, SubmitReferralInput, WithdrawReferralInput
from schema.residencies import OfferResidencyInput, UpdateResidencyInput
from schema.retractions import AcknowledgeRetractionInput
from schema.webhooks import CreateWebhookInput, DeleteWebhookInput, ResumeWebhookInput


@strawberry.type(directives=[OPERATION])
class Mutation:
    """What can be changed."""

    @asked(Command(), Scope.REFERRALS_SUBMIT)
    def submit_referral(self, input: SubmitReferralInput) -> ReferralPayload | None:  # noqa: A002 the contract's name
        """Hand a person to another organisation, within what they agreed to."""
        raise NotImplementedError

    @asked(Command(), Scope.REFERRALS_SUBMIT)
    def withdraw_referral(self, input: WithdrawReferralInput) -> ReferralPayload | None:  # noqa: A002 the contract's name
        """Take a referral back, as long as it lives. What it opened to its recipient is closed at once."""
        raise NotImplementedError

    @asked(Command(), Scope.REFERRALS_RESPOND)
    def respond_to_referral(self, input: RespondToReferralInput) -> ReferralPayload | None:  # noqa: A002 the contract's name
        """Take a referral one step on."""
        raise NotImplementedError

    @asked(Command(), Scope.REFERRALS_SUBMIT, Scope.REFERRALS_RESPOND)
    def send_message(self, input: SendMessageInput) -> MessagePayload | None:  # noqa: A002 the contract's name
        """Write to the other side of a referral, as long as it lives."""
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

    @asked(Command(fresh=True), Scope.ORGANISATIONS_MANAGE)
    def create_organisation(self, input: CreateOrganisationInput) -> OrganisationPayload | None:  # noqa: A002 the contract's name
        """Add a partner, and invite its first admin, who lets in everybody else. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.ORGANISATIONS_MANAGE)
    def update_organisation(self, input: UpdateOrganisationInput) -> OrganisationPayload | None:  # noqa: A002 the contract's name
        """Change what an organisation is called, or suspend it, or let it in again. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.FEEDS_MANAGE)
    def create_feed(self, input: CreateFeedInput) -> FeedPayload | None:  # noqa: A002 the contract's name
        """Connect a sister organisation's own system. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(fresh=True), Scope.FEEDS_MANAGE)
    def update_feed(self, input: UpdateFeedInput) -> FeedPayload | None:  # noqa: A002 the contract's name
        """Change how a feed is read, or pause it, or let it go on. ICORN's alone."""
        raise NotImplementedError

    @asked(Command(), Scope.FEEDS_MANAGE)
    def sync_feed(self, input: SyncFeedInput) -> FeedPayload | None:  # noqa: A002 the contract's name
        """Have a feed pulled as soon as it has rested from its latest pull. ICORN's alone."""
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

    @asked(Command(fresh=True), Scope.ACCESS_MANAGE)
    def create_webhook(self, input: CreateWebhookInput) -> WebhookPayload | None:  # noqa: A002 the contract's name
        """Have events sent to an address of one's own organisation, from now on."""
        raise NotImplementedError

    @asked(Command(), Scope.ACCESS_MANAGE)
    def resume_webhook(self, input: ResumeWebhookInput) -> WebhookPayload | None:  # noqa: A002 the contract's name
        """Deliver again to a webhook that was paused, from where it stopped."""
        raise NotImplementedError

    @asked(Command(), Scope.ACCESS_MANAGE)
    def delete_webhook(self, input: DeleteWebhookInput) -> WebhookPayload | None:  # noqa: A002 the contract's name
        """Send nothing more there, and forget its secret."""
        raise NotImplementedError
