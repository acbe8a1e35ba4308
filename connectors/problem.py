"""This module names everything that can go wrong with a feed, in fixed words: nothing an upstream said is ever kept."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """Why a pull ended early. The code is all that is stored, logged or shown of an upstream's trouble."""

    UNREACHABLE = "UNREACHABLE"
    TLS_REFUSED = "TLS_REFUSED"
    TIMEOUT = "TIMEOUT"
    TRUNCATED = "TRUNCATED"
    AUTH_REFUSED = "AUTH_REFUSED"
    RATE_LIMITED = "RATE_LIMITED"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"
    UNEXPECTED_STATUS = "UNEXPECTED_STATUS"
    TOO_LARGE = "TOO_LARGE"
    BAD_ENCODING = "BAD_ENCODING"
    NOT_JSON = "NOT_JSON"
    NOT_A_TABLE = "NOT_A_TABLE"
    BAD_SHAPE = "BAD_SHAPE"
    PARTIAL_ANSWER = "PARTIAL_ANSWER"
    NULL_ROOT = "NULL_ROOT"
    NO_CURSOR = "NO_CURSOR"
    REPEATED_CURSOR = "REPEATED_CURSOR"
    PAGES_MOVED = "PAGES_MOVED"
    FILTER_IGNORED = "FILTER_IGNORED"
    TOO_MANY_PAGES = "TOO_MANY_PAGES"
    FOREIGN_LINK = "FOREIGN_LINK"
    PRIVATE_ADDRESS = "PRIVATE_ADDRESS"
    SECRET_MISSING = "SECRET_MISSING"  # noqa: S105 (a code, not a secret)
    SETTINGS = "SETTINGS"
    UNPROVEN = "UNPROVEN"
    REMOVAL_REFUSED = "REMOVAL_REFUSED"
    INTERNAL = "INTERNAL"


#: Trouble that may pass by itself, so that a pull may go on from the position it had reached.
TRANSIENT = frozenset(
    {
        ProblemCode.UNREACHABLE,
        ProblemCode.TLS_REFUSED,
        ProblemCode.TIMEOUT,
        ProblemCode.TRUNCATED,
        ProblemCode.AUTH_REFUSED,
        ProblemCode.RATE_LIMITED,
        ProblemCode.UPSTREAM_FAILED,
        ProblemCode.PRIVATE_ADDRESS,
        ProblemCode.SECRET_MISSING,
        ProblemCode.SETTINGS,
        ProblemCode.INTERNAL,
    }
)


class FeedProblem(Exception):  # noqa: N818 (named for what it tells)
    """A pull ended before its end was proven. `retry_after` is in seconds, when the upstream asked for a pause."""

    def __init__(self, code: ProblemCode, retry_after: float | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a feed's settings or mapping: where, what, and how to put it right. Never quotes a value."""

    path: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path) or '(the whole)'}: {self.message}"


class ConfigurationError(ValueError):
    """Settings or mapping that cannot work; `flaws` holds all that is wrong, not only the first."""

    def __init__(self, flaws: tuple[Flaw, ...]) -> None:
        super().__init__("\n".join(str(flaw) for flaw in flaws))
        self.flaws = flaws
