"""This module checks a proof as a partner does: from the answer and the hub's public keys alone, without asking the hub."""

from collections.abc import Mapping
from typing import Any, Final

from joserfc.jwk import OKPKey

from hub.audit.base64 import decoded, encoded
from hub.audit.head import BadHeadError, Head, believed
from hub.audit.merkle import consistent, included, leaf_hash

MALFORMED: Final = "a field is missing, or is not as the hub answers it"


class BadProofError(ValueError):
    """The proof does not prove it; the text says what does not fit."""


def check_inclusion(proof: Mapping[str, Any], keys: Mapping[str, OKPKey]) -> Head:
    """Check an AuditProof: that its entry stands in the log whose signed head it names. Raises BadProofError.

    Needs its fields entry, leafIndex, hashes and signature; what else it says must agree with the signed head.
    """
    head = _believed(proof, "signature", keys)
    path = _path(proof)
    try:
        leaf, index = leaf_hash(proof["entry"].encode()), int(proof["leafIndex"])
        told = int(proof.get("treeSize", head.size)), proof.get("rootHash", encoded(head.root))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadProofError(MALFORMED) from None
    if not included(leaf, index, head.size, path, head.root):
        raise BadProofError("the hashes do not lead from the entry to the signed root")
    if told != (head.size, encoded(head.root)):
        raise BadProofError("size or root are not those of the signed head")
    return head


def check_consistency(proof: Mapping[str, Any], keys: Mapping[str, OKPKey]) -> tuple[Head, Head]:
    """Check an AuditConsistency: that the log of its later head begins with all of the earlier one's. Raises BadProofError.

    For `fromSignature` take the head that was kept, not the one the answer gives: that is what the proof is for.
    """
    old, new = _believed(proof, "fromSignature", keys), _believed(proof, "toSignature", keys)
    path = _path(proof)
    if old.log != new.log or not consistent(old.size, old.root, new.size, new.root, path):
        raise BadProofError("the later log does not begin with the earlier one: it was written anew, or cut off")
    return old, new


def _believed(proof: Mapping[str, Any], name: str, keys: Mapping[str, OKPKey]) -> Head:
    try:
        return believed(str(proof.get(name)), keys)
    except BadHeadError as error:
        raise BadProofError(f"{name}: {error}") from None


def _path(proof: Mapping[str, Any]) -> list[bytes]:
    try:
        return [decoded(text) for text in proof["hashes"]]
    except (ValueError, KeyError, TypeError):
        raise BadProofError(MALFORMED) from None
