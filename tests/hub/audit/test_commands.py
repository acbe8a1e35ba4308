"""The log from the command line: an operator verifies it, a partner checks a proof without asking anybody."""

import asyncio
import json
from pathlib import Path

from auth.keyring import Keyring
from hub.audit.head import HeadKeys
from hub.audit.sequence import Sequencer
from tests.hub.audit.logs import RECORD, meddle, worker_pool
from tests.hub.audit.test_proofs import CONSISTENT, PROOF
from tests.hub.audit.test_reading import LOOK
from tests.hub.shell import Run
from tests.hub.test_cli import worker
from tests.world import World


async def recorded(world: World, folder: Path, *codes: str) -> dict[str, str]:
    """Put records in and sequence them under a keyring in a folder; give what a command needs to be told."""
    keys = Keyring.load(folder / "keys.json") if (folder / "keys.json").exists() else Keyring.create(folder / "keys.json")  # fmt: skip
    for code in codes:
        await world.admin.execute(RECORD, code)
    async with worker_pool(world.database) as pool:
        await Sequencer(pool, HeadKeys(pool, keys)).run()
    return worker(world.database, folder)


async def test_verify_keeps_heads_only_of_a_log_that_is_whole(hub: Run, world: World, tmp_path: Path) -> None:
    """What was kept finds a log that was cut off with all its traces; the file is then left as it was."""
    environment = await recorded(world, tmp_path, "pen-centre", "pen-centre", "arts-haven")
    heads = tmp_path / "heads.json"

    whole = await asyncio.to_thread(hub, "audit", "verify", "--heads", str(heads), **environment)
    kept = json.loads(heads.read_text())
    listed = await asyncio.to_thread(hub, "audit", "heads", "--organisation", "pen-centre", **environment)
    await meddle(world, "delete from audit_event; delete from audit_leaf; delete from audit_head; delete from audit")
    alone = await asyncio.to_thread(hub, "audit", "verify", **environment)
    cut = await asyncio.to_thread(hub, "audit", "verify", "--heads", str(heads), **environment)
    unknown = await asyncio.to_thread(hub, "audit", "verify", "--organisation", "nobody", **environment)
    heads.write_text("{}x")
    unread = await asyncio.to_thread(hub, "audit", "verify", "--heads", str(heads), **environment)

    assert (whole.status, alone.status, cut.status, unknown.status, unread.status) == (0, 0, 1, 1, 1)
    assert set(kept) == {"pen-centre", "arts-haven"}
    assert kept["pen-centre"] in listed.words.replace(" ", "") or kept["pen-centre"] in listed.words
    assert "pen-centre: the first bad leaf is 0: it is missing: the log was cut off, and had 2 leaves" in cut.words
    assert "no organisation with the code 'nobody'" in unknown.words
    assert "This is not JSON" in unread.words


async def test_a_partner_checks_proofs_offline(hub: Run, world: World, tmp_path: Path) -> None:
    """From the answer, the published keys and the head it kept: one that was tampered with is refused by name."""
    for _ in range(3):
        await world.data("pen", LOOK)
        async with worker_pool(world.database) as pool:
            await Sequencer(pool, world.app.state.head_keys).run()
    keys, proof, kept = tmp_path / "keys.json", tmp_path / "proof.json", tmp_path / "kept"
    keys.write_text((await world.http.get("/audit/jwks")).text)
    event = (await world.data("pen", "{ auditEvents(first: 1) { edges { node { id } } } }"))["auditEvents"]["edges"][0]["node"]["id"]  # fmt: skip
    inclusion = await world.ask("pen", PROOF, {"id": event})
    consistency = await world.ask("pen", CONSISTENT, {"from": "1", "to": "3"})
    kept.write_text(consistency["data"]["auditConsistency"]["fromSignature"] + "\n")

    async def check(told: object, *more: str) -> tuple[int, str]:
        proof.write_text(json.dumps(told))
        said = await asyncio.to_thread(hub, "audit", "check-proof", str(proof), "--keys", str(keys), *more)
        return said.status, said.words

    status, words = await check(inclusion)
    assert (status, words.strip()) == (
        0,
        "The entry is leaf 2 of 3 in the log of pen-centre, signed at 2026-06-01 12:00 UTC.",
    )
    status, words = await check(consistency, "--kept", str(kept))
    assert status == 0
    assert "The log of pen-centre with 3 leaves begins with all 1 that it had" in words
    inclusion["data"]["auditProof"]["entry"] += " "
    status, words = await check(inclusion)
    assert status == 1
    assert "It is not proven: the hashes do not lead from the entry to the signed root" in words
    consistency["data"]["auditConsistency"]["hashes"].reverse()
    assert (await check({"data": {"auditProof": None}}))[0] == 1
    assert (await check(consistency))[0] == 1
