"""What is compiled in the image exists for ARM64 too, as far as the lock file tells."""

import copy
import json
from pathlib import Path

import pytest

from ops.arm import AARCH64, LOCK, MISSING, lacking, machine, natives

X86_64 = 62


def elf(kind: int) -> bytes:
    return b"\x7fELF" + bytes(14) + kind.to_bytes(2, "little") + bytes(40)


def test_each_compiled_npm_package_has_one_for_arm() -> None:
    """A new OpenClaw that lacks another one, or has one of these, is decided by a person: see MISSING."""
    assert lacking(json.loads(LOCK.read_text())) == MISSING


@pytest.mark.parametrize("name", ["@koromix/koffi-linux-arm64", "sqlite-vec-linux-arm64", "@ubjs/node-linux-arm64-gnu"])
def test_a_package_that_the_lock_file_loses_is_seen(name: str) -> None:
    lock = copy.deepcopy(json.loads(LOCK.read_text()))
    del lock["packages"][f"node_modules/{name}"]
    assert lacking(lock) == MISSING | {name}


def test_a_library_says_for_which_processor_it_is(tmp_path: Path) -> None:
    for name, content in {
        "arm": elf(AARCH64),
        "intel": elf(X86_64),
        "text": b"// no program",
        "short": b"\x7fELF",
    }.items():
        (tmp_path / name).write_bytes(content)
    found = {name: machine(tmp_path / name) for name in ("arm", "intel", "text", "short")}
    assert found == {"arm": AARCH64, "intel": X86_64, "text": None, "short": None}


def test_a_package_may_bring_several_and_needs_one_for_arm(tmp_path: Path) -> None:
    for name, kind in {
        "both/linux-arm64/x.node": AARCH64,
        "both/linux-x64/x.node": X86_64,
        "@a/b/y.so": X86_64,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(elf(kind))
    (tmp_path / "both" / "script.node").write_bytes(b"none of Linux")
    assert dict(natives(tmp_path)) == {"@a/b": False, "both": True}
