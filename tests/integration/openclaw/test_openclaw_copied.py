"""What OpenClaw's modules draw when they are loaded, with the real package: copies of a snapshot must not share it."""

import json
import subprocess
from pathlib import Path

from bridge.openclaw.loading import LOADER
from local import tools
from local.loaded import module_list

# Loads the list as the loader does, and notes who draws a random number, before `anew()` and in it.
SCRIPT = """
import { readFileSync, realpathSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
const [unique, listFile, entry] = process.argv.slice(1);
const { anew } = await import(unique);
const crypto = createRequire(pathToFileURL(entry))("crypto");
const seen = { load: [], anew: [] };
let phase = "load";
for (const name of ["randomBytes", "randomUUID", "randomInt", "randomFillSync", "randomFill"]) {
  const real = crypto[name];
  crypto[name] = function (...given) {
    const lines = new Error().stack.split("\\n").slice(2);
    seen[phase].push(lines.find((line) => !line.includes("unique.mjs")) ?? "");
    return real.apply(this, given);
  };
}
syncBuiltinESMExports();
const root = new URL("../", pathToFileURL(realpathSync(entry)));
const require = createRequire(pathToFileURL(entry));
const list = JSON.parse(readFileSync(listFile, "utf8"));
const fast = await import(new URL(list.resolver, root));
for (const value of Object.values(fast)) {
  if (value.name === "installDistEsmResolveFastPath") value(new URL("./openclaw/dist/entry.js", root).href);
}
for (const [name, format] of list.modules) {
  const url = new URL(name, root);
  if (format === "module") await import(url);
  else require(fileURLToPath(url));
}
phase = "anew";
anew();
process.stdout.write(JSON.stringify(seen), () => process.exit(0));
"""
# Drawn again in place (unique.mjs), or of no use to anybody: only the length of a text with a random mark is kept.
KNOWN = {"agent-run-registry", "sentinel", "external-content"}


def modules(lines: list[str]) -> set[str]:
    """Names of OpenClaw's files, without their hash."""
    names = [line.rpartition("/")[2].partition(".js:")[0] for line in lines]
    return {name.rpartition("-")[0] for name in names}


def test_what_is_drawn_before_the_snapshot_is_drawn_again(tmp_path: Path) -> None:
    found = tools.find()
    listed = module_list(found, print)
    environment = json.loads(listed.read_text())["path"]["ordered"]
    cache = listed.with_name("compile-cache")
    command = [str(found.node), "--input-type=module", "-e", SCRIPT, str(Path(LOADER).with_name("unique.mjs"))]
    command += [str(listed), str(found.openclaw)]
    env = {"PATH": environment, "HOME": str(tmp_path), "NODE_COMPILE_CACHE": str(cache)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    before, again = modules(seen["load"]), modules(seen["anew"])
    assert len(again) > 5
    assert before - again == KNOWN
