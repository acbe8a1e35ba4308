"""What a partner proves of its own log, from answers and published keys alone."""

import pytest

from hub.audit.head import public_keys
from hub.audit.proof import BadProofError, check_consistency, check_inclusion
from tests.hub.audit.logs import settle
from tests.hub.audit.test_reading import HEADS, LOOK, events
from tests.world import World

PROOF = "query ($id: ID!) { auditProof(event: $id) { entry leafIndex treeSize hashes rootHash signature signedAt } }"
CONSISTENT = "query ($from: String!, $to: String!) { auditConsistency(fromSize: $from, toSize: $to) { fromSize fromSignature toSize toSignature hashes } }"  # fmt: skip


async def test_a_partner_proves_its_own_accesses_against_the_published_key(world: World) -> None:
    """Every one, in a tree of every shape, from the answer alone; and nothing that was changed in it."""
    for _ in range(7):
        await world.data("pen", LOOK)
        await settle(world)
    keys = public_keys((await world.http.get("/audit/jwks")).json())
    ids = [event["id"] for event in await events(world, "pen")]

    for identifier in ids:
        proof = (await world.data("pen", PROOF, {"id": identifier}))["auditProof"]
        head = check_inclusion(proof, keys)
        assert (head.log, head.size, str(head.size)) == ("pen-centre", 7, proof["treeSize"])
        assert f'"index":{proof["leafIndex"]},' in proof["entry"]
        for changed in (
            {"entry": proof["entry"].replace("PROTECTION", "REFERRAL")},
            {"leafIndex": str((int(proof["leafIndex"]) + 1) % 7)},
            {"hashes": proof["hashes"][:-1]},
            {"hashes": ["x"]},
            {"rootHash": proof["hashes"][0]},
            {"treeSize": "6"},
            {"signature": proof["signature"][:-8] + "AAAAAAAA"},
            {"signature": None},
            {"entry": None},
        ):
            with pytest.raises(BadProofError):
                check_inclusion({**proof, **changed}, keys)
    assert len(ids) == 7


async def test_a_partner_proves_that_nothing_before_a_head_was_changed(world: World) -> None:
    """Between any two heads that were signed; a size that was not, or another's, finds nothing."""
    for _ in range(6):
        await world.data("pen", LOOK)
        await settle(world)
    keys = public_keys((await world.http.get("/audit/jwks")).json())
    heads = [edge["node"] for edge in (await world.data("pen", HEADS))["auditHeads"]["edges"]]

    assert [head["treeSize"] for head in heads] == ["6", "5", "4", "3", "2", "1"]
    for old in heads:
        for new in heads:
            given = {"from": old["treeSize"], "to": new["treeSize"]}
            proof = (await world.data("pen", CONSISTENT, given))["auditConsistency"]
            if int(old["treeSize"]) > int(new["treeSize"]):
                assert proof is None
                continue
            assert [head.size for head in check_consistency(proof, keys)] == [int(old["treeSize"]), int(new["treeSize"])]  # fmt: skip
            with pytest.raises(BadProofError):
                check_consistency({**proof, "hashes": [*proof["hashes"], new["rootHash"]]}, keys)
    for size in ("7", "0", "-1", "x", "", "99999999999999999999", "1\u0000"):
        assert (await world.data("pen", CONSISTENT, {"from": size, "to": "6"}))["auditConsistency"] is None
    assert (await world.data("desk", CONSISTENT, {"from": "1", "to": "6"}))["auditConsistency"] is None
