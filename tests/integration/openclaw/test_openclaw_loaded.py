"""The gateway in a process that was loaded before: the same as one that was started in the ordinary way."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.config import Config
from bridge.openclaw.gateway import GatewayClosed
from bridge.openclaw.loading import Loading, facts
from bridge.openclaw.process import OpenClaw, environment
from bridge.shared.installed import Installed
from local import tools
from local.loaded import module_list
from tests.integration.openclaw.test_openclaw_compatibility import gateway_of, model, turn
from tests.support.bridge_parts import custom, make_config, proxied

__all__ = ["model"]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def modules() -> str:
    return str(module_list(tools.find(), print))


def place_of(config: Config, modules: str) -> Installed:
    return Installed(config.node, config.openclaw, config.compile_cache, modules, config.home, config.agent)


def shown(openclaw: OpenClaw, home: Path, command: str) -> str:
    """What a command of the agent's prints."""
    marker = uuid.uuid4().hex
    _, events = turn(openclaw, f"run: ({command}) > {home}/seen 2>&1; echo {marker}", session=f"web-{marker}")
    assert marker in events[-1].text
    return (home / "seen").read_text()


def sockets(pid: int) -> set[str]:
    """By their inodes; not one that is closed while we look."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.readlink(entry))
    return {link for link in found if link.startswith("socket:")}


# Not files on disk, which come and go, nor sockets, which the fixture looks at, nor what is closed while `ls` looks.
# The gateway's own process is the parent of the shell that runs a command.
LOOK = {
    "environment": "printenv | sort",
    "folder": "readlink /proc/$PPID/cwd",
    "limits": "grep -E 'Umask|^Sig(Blk|Ign)' /proc/$PPID/status",
    "input": "readlink /proc/$PPID/fd/0",
    "title": "tr '\\0' ' ' < /proc/$PPID/cmdline | sed 's/ *$//'",
    "descriptors": "cd /proc/$PPID/fd; ls -l 2>/dev/null | sed -n "
    "'s/.*-> //; /socket:/d; s/pipe:.*/pipe/; /^[/][^d]/d; /^[^t]/p' | sort",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, model: str, modules: str) -> Iterator[list[OpenClaw]]:
    """An ordinary one and a loaded one, each in a home of its own."""
    made: list[OpenClaw] = []
    ordinary = make_config(tmp_path_factory.mktemp("ordinary") / "home", custom(model))
    loaded = make_config(tmp_path_factory.mktemp("loaded") / "home", custom(model))
    with (
        proxied(ordinary.routes, token=ordinary.proxy_token) as one,
        proxied(loaded.routes, token=loaded.proxy_token) as other,
    ):
        loading = Loading(place_of(loaded, modules))
        made = [OpenClaw(ordinary, one.url), OpenClaw(loaded, other.url, loading)]
        assert loading.wait(), "the list fits"
        assert list(loaded.home.iterdir()) == [], "no state was touched"
        channel = sockets(loading.pid)
        for openclaw in made:
            openclaw.start()
        assert made[1]._process is not None
        assert made[1]._process.pid == loading.pid, "the same process"
        assert len(channel) == 1
        assert not channel & sockets(loading.pid), "its agent cannot reach the Bridge by it"
        yield made
        for openclaw in made:
            openclaw.stop()
            assert not openclaw.alive()


@pytest.mark.parametrize("what", LOOK)
def test_it_is_in_the_same_place_as_an_ordinary_one(both: list[OpenClaw], what: str) -> None:
    seen = []
    for openclaw in both:
        config = openclaw._config
        said = shown(openclaw, config.home, LOOK[what])
        for mine in (config.gateway_token, config.proxy_token, str(config.gateway_port), str(config.home.parent)):
            said = said.replace(mine, "MINE")
        seen.append(said)
    assert seen[0] == seen[1]


def test_it_answers_and_knows_the_answer(both: list[OpenClaw]) -> None:
    _, events = turn(both[1], "What is 20+3?")
    assert "= 23" in events[-1].text


def test_a_crashed_one_is_replaced_in_the_ordinary_way(both: list[OpenClaw]) -> None:
    openclaw = both[1]
    first, process = gateway_of(openclaw), openclaw._process
    openclaw.kill()
    assert first.closed.wait(10)
    with pytest.raises(GatewayClosed):
        first.request("health", {})
    openclaw.reconnect()
    assert openclaw._process is not process
    _, events = turn(openclaw, "What is 30+3?")
    assert "= 33" in events[-1].text


# Prints every plain value that OpenClaw's own modules export: what they have computed while they were loaded.
VALUES = """
import { readFileSync, realpathSync } from "node:fs"; import { pathToFileURL } from "node:url";
const root = new URL("../", pathToFileURL(realpathSync(process.argv[1])));
const list = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (process.argv[3]) process.env.PATH = list.path.ordered;
for (const [name, format] of list.modules) {
  if (format !== "module" || !name.startsWith("openclaw/dist/")) continue;
  for (const [key, value] of Object.entries(await import(new URL(name, root))))
    if (["string", "number", "boolean"].includes(typeof value)) console.log(name, key, JSON.stringify(value));
}
process.exit(0);
"""


def test_no_module_keeps_another_value_than_in_an_ordinary_start(tmp_path: Path, model: str, modules: str) -> None:
    """With the environment of the loading process, and with the whole of it."""
    config = make_config(tmp_path / "home", custom(model))
    seen = []
    early, whole = facts(config.node, config.home, config.compile_cache), environment(config)
    for given in (early, whole):
        command = [config.node, "--input-type=module", "-e", VALUES, config.openclaw, modules, "early"]
        done = subprocess.run(command, env=given, cwd=config.home, capture_output=True, text=True, check=True)
        seen.append(done.stdout)
    assert len(seen[0].splitlines()) > 50
    assert f"{config.home}/.openclaw" in seen[0], "the state directory is among them"
    assert seen[0] == seen[1]


def test_a_list_of_another_version_leaves_the_ordinary_start(
    tmp_path: Path, model: str, modules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(tmp_path / "home", custom(model))
    wrong = tmp_path / "modules.json"
    wrong.write_text(re.sub(r'"openclaw": "[^"]+"', '"openclaw": "2020.1.1"', Path(modules).read_text()))
    with proxied(config.routes, token=config.proxy_token) as proxy:
        openclaw = OpenClaw(config, proxy.url, Loading(place_of(config, str(wrong))))
        openclaw.start()
        _, events = turn(openclaw, "What is 4+4?")
        openclaw.stop()
    assert "= 8" in events[-1].text
    assert '"loader_failed", "reason": "another version"' in capsys.readouterr().out
