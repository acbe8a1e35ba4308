"""This module lists why somebody was not let in. The log has the reason; the page says the same whatever it was."""

from enum import StrEnum
from typing import Self


class Refusal(StrEnum):
    """A code of the log line `people.refused`; `cause` is what it usually comes from."""

    cause: str

    def __new__(cls, value: str, cause: str) -> Self:
        """Make the code a plain string that carries its cause."""
        code = str.__new__(cls, value)
        code._value_ = value
        code.cause = cause
        return code

    BAD_CEREMONY = "BAD_CEREMONY", "What the passkey signed is for another site, or not verified, or forged."
    BAD_CHALLENGE = "BAD_CHALLENGE", "The page was open for more than five minutes, or in another browser."
    BAD_FORM = (
        "BAD_FORM",
        "The form is not one that the hub showed in this browser: cookies are off, or another site sent it.",
    )
    CHALLENGE_USED = "CHALLENGE_USED", "The same form was sent twice."
    COUNTER_WENT_BACK = "COUNTER_WENT_BACK", "The passkey's counter did not rise: somebody may have copied the device."
    INVITATION_UNUSABLE = (
        "INVITATION_UNUSABLE",
        "The invitation was used, replaced, ran out after seven days, or never existed.",
    )
    NOT_ACTIVE = "NOT_ACTIVE", "The user is disabled, or the organisation suspended."
    OTHER_PERSON = "OTHER_PERSON", "Asked to show a passkey again, somebody showed another person's."
    PASSKEY_UNKNOWN = "PASSKEY_UNKNOWN", "The passkey was removed here, but is still on the device."
    PROVIDER_FAILED = (
        "PROVIDER_FAILED",
        "The organisation's OpenID provider does not answer, publishes another issuer, or our secret there is missing.",
    )
    PROVIDER_REFUSED = (
        "PROVIDER_REFUSED",
        "What came back from the organisation's OpenID provider is not what was asked for: too late, for others, or forged.",
    )
    PROVIDER_UNKNOWN = (
        "PROVIDER_UNKNOWN",
        "The organisation has no OpenID provider, or the person there is no user here.",
    )


class RefusedError(Exception):
    """Somebody was not let in."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(code)
        self.code = code
