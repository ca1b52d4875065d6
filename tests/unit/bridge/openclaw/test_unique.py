"""Random numbers of a process that is copied after it has loaded (openclaw/unique.mjs), in real Node."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.openclaw.loading import LOADER
from local import tools

UNIQUE = Path(LOADER).with_name("unique.mjs")
# A module as OpenClaw's bundler writes them, and one of those that keep a function of crypto's for themselves.
MODULE = """
import { randomBytes, randomUUID } from "node:crypto";
//#region src/x.ts
const secret = randomBytes(4).toString("hex");
const prefix = `a_${randomUUID()}`;
export const ID = randomUUID();
const CLAIM = [
\tprocess.pid,
\trandomUUID()
].join(":");
globalThis[Symbol.for("openclaw.agentRunRegistry.state")] = { lifecycleGeneration: randomUUID() };
globalThis[Symbol.for("openclaw.secretSentinel.keys")] = { keys: randomBytes(64) };
const key = globalThis[Symbol.for("openclaw.secretSentinel.keys")].keys.subarray(0, 32);
const lazy = () => randomUUID();
function later() {
\tconst nonce = randomBytes(2);
\treturn [secret, prefix, ID, lazy(), nonce.length];
}
function shared() {
\treturn [CLAIM, globalThis[Symbol.for("openclaw.agentRunRegistry.state")].lifecycleGeneration, key.toString("hex")];
}
export { secret, prefix as p, later, shared };
"""
SCRIPT = """
import { appendFileSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
const { anew } = await import(process.argv[1]);
const crypto = createRequire(process.argv[2])("crypto");
const named = await import("node:crypto");
const found = {};
const made = await import(process.argv[2]);
found.before = [made.secret, made.p, made.ID, ...made.shared()];
found.again = anew();
found.after = [made.secret, made.p, made.ID, ...made.shared()];
found.seen = made.later().slice(0, 3);
const refused = (work) => { try { work(); return null; } catch (error) { return error.code ?? error.name; } };
found.refused = [() => crypto.randomBytes(-1), () => crypto.randomInt(0), () => crypto.randomUUID(3),
  () => globalThis.crypto.getRandomValues([])].map(refused);
found.ints = Array.from({ length: 200 }, () => crypto.randomInt(3, 6));
found.floats = Array.from({ length: 1000 }, Math.random);
found.uuids = Array.from({ length: 300 }, () => named.randomUUID());
found.time = Math.abs(parseInt(crypto.randomUUIDv7().replace("-", "").slice(0, 12), 16) - Date.now());
found.web = [globalThis.crypto.randomUUID(), ...globalThis.crypto.getRandomValues(new Uint32Array(4))];
found.fill = [...crypto.randomFillSync(Buffer.alloc(64), 32, 16)];
const wait = (call) => new Promise((done) => call((error, value) => done([error ?? null, value])));
found.later = [
  (await wait((done) => crypto.randomBytes(16, done)))[1].length,
  [...(await wait((done) => crypto.randomFill(new Uint16Array(8), 2, 4, done)))[1]],
  (await wait((done) => crypto.randomInt(5, done)))[1],
];
process.stdout.write(JSON.stringify(found));
"""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("unique") / "openclaw" / "dist"
    folder.mkdir(parents=True)
    module = folder / "x.js"
    module.write_text(MODULE)
    (folder.parent / "package.json").write_text('{"type": "module"}')
    command = [str(tools.find().node), "--input-type=module", "-e", SCRIPT, str(UNIQUE), str(module)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_a_module_drew_when_it_was_loaded_is_drawn_again(found: Any) -> None:
    """And whoever imports it sees the new value."""
    assert found["again"] == 4
    assert not set(found["before"]) & set(found["after"])
    assert found["seen"] == found["after"][:3]


def test_the_functions_are_what_they_were(found: Any) -> None:
    assert found["refused"] == ["ERR_OUT_OF_RANGE", "ERR_OUT_OF_RANGE", "ERR_INVALID_ARG_TYPE", 17]  # TypeMismatchError
    assert set(found["ints"]) == {3, 4, 5}
    assert all(UUID.fullmatch(uuid) for uuid in [*found["uuids"], found["web"][0]])
    assert len(set(found["uuids"])) == 300
    assert found["time"] < 60_000
    assert len(set(found["web"][1:])) == 4
    assert (found["fill"][:32], found["fill"][48:]) == ([0] * 32, [0] * 16)
    assert any(found["fill"][32:48])
    size, filled, number = found["later"]
    assert (size, filled[:2], filled[6:], number in range(5)) == (16, [0, 0], [0, 0], True)
    assert any(filled[2:6])


def test_a_number_between_0_and_1_is_spread(found: Any) -> None:
    floats = found["floats"]
    assert all(0 <= number < 1 for number in floats)
    assert 0.4 < sum(floats) / len(floats) < 0.6
