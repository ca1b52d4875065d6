"""What `make image` leaves: nothing of this machine, small enough, and the same after a registry."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from pip._internal.models.index import PyPI

from local import tools
from local.cloud.bridges import free_port
from ops.building.clients import bundle, npm_settings, pip_settings
from ops.building.layers import BAR, MEGABYTE, image_of, layers, table
from ops.building.store import IMAGE, Store, run
from ops.steps import ROOT
from tests.support.client import eventually
from tests.support.containers import STORE, built

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n\S+\n(\S+)\n")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not built(), reason="make image-check looks into what make image has built"),
]


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """The image's files, mounted."""
    container = run(STORE.buildah("from", "--pull-never", IMAGE))
    yield Path(run(STORE.buildah("mount", container)))
    run(STORE.buildah("rm", container))


def certificates(path: Path | None) -> set[str]:
    """A line of each certificate: enough to tell them apart."""
    return set(CERTIFICATE.findall(path.read_text())) if path is not None else set()


def everybodys() -> set[str]:
    """The hosts of both registries as pip and npm know them unasked: packages name them in their own descriptions."""
    found = tools.find()
    asked = [str(found.node), str(found.npm), "config", "get", "registry", "--userconfig=/dev/null"]
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    npm = subprocess.run(asked, env=clean, capture_output=True, text=True, check=True).stdout.strip()
    return {PyPI.netloc, str(urlsplit(npm).hostname)}


def traces(tree: Path) -> list[str]:
    """What would tell on this machine: its folders, its name, its registries, its own authorities."""
    found = {str(ROOT), str(STORE.folder), os.environ.get("TMPDIR", "")}
    found |= certificates(bundle(os.environ)) - certificates(tree / "etc/ssl/certs/ca-certificates.crt")
    configured = run([sys.executable, "-m", "pip", "config", "list"])
    configured += " ".join((pip_settings(os.environ) | npm_settings(os.environ)).values())
    for address in re.findall(r"\w+://[^\s'\"\\]+", configured):
        parts = urlsplit(address)
        found.add(parts.hostname or parts.path)
    name = os.uname().nodename
    found |= {name} if len(name) > 5 else set()  # a short name is part of other words
    return sorted(found - {"", "/", "/tmp", *everybodys()})


def test_nothing_of_this_machine_is_in_the_image(tree: Path, tmp_path: Path) -> None:
    needles = traces(tree)
    assert str(ROOT) in needles
    (tmp_path / "needles").write_text("\n".join(needles) + "\n")
    (tmp_path / "found").write_text(f"in {ROOT}")
    grep = ["grep", "--recursive", "--files-with-matches", "--fixed-strings", f"--file={tmp_path / 'needles'}"]
    assert subprocess.run([*grep, str(tmp_path / "found")], capture_output=True, check=False).returncode == 0
    done = subprocess.run([*grep, str(tree)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, ""), done.stdout
    about = run(STORE.buildah("inspect", "--type", "image", IMAGE))
    assert not [needle for needle in needles if needle in about]
    for place in ("etc/hostname", "etc/hosts", "etc/resolv.conf"):
        assert not (tree / place).exists() or (tree / place).read_text() == "", place
    assert not list((tree / "root").glob(".npm*")) + list((tree / "root").glob(".config"))
    assert not (tree / "etc/pip.conf").exists()
    print(f"{len(needles)} traces looked for")


def test_the_layers_are_zstd_and_within_the_bar() -> None:
    found = layers(STORE.layout)
    print("\n" + table(found))
    assert {layer.media_type for layer in found} == {"application/vnd.oci.image.layer.v1.tar+zstd"}
    assert sum(layer.size for layer in found) <= BAR * MEGABYTE


def test_the_settings_are_what_a_task_needs() -> None:
    config = image_of(STORE.layout)[1]["config"]
    assert config["User"] == "10001:10001"
    assert set(config["Volumes"]) == {"/home/agent", "/tmp"}
    assert config["Entrypoint"] == ["dumb-init", "--", "python3", "-m", "bridge"]
    names = {entry.split("=")[0] for entry in config["Env"]}
    assert not {name for name in names if re.match(r"(?i)pip_|npm_|https?_proxy|no_proxy|node_extra|ssl_", name)}


def registry(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """Debian's docker-registry on loopback, with its data below `folder`."""
    (folder / "registry.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\nhttp:\n  addr: 127.0.0.1:{port}\n"
    )
    with open(folder / "registry.log", "wb") as log:
        return subprocess.Popen(["docker-registry", "serve", str(folder / "registry.yml")], stdout=log, stderr=log)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.ConnectionError:
        return False


def test_a_registry_gives_back_the_same_image(tmp_path: Path) -> None:
    """Pushed with the layers that `make image` made, pulled to an empty store: the file capability is kept."""
    port, empty = free_port(), Store(tmp_path / "other")
    name = f"127.0.0.1:{port}/agent:pushed"
    process = registry(tmp_path, port)
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/v2/"), 15)
        begun = time.monotonic()
        run(["skopeo", "copy", "--dest-tls-verify=false", f"oci:{STORE.layout}", f"docker://{name}"])
        stored = json.loads(run(["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{name}"]))
        assert stored["layers"] == image_of(STORE.layout)[0]["layers"]
        pushed = time.monotonic()
        run(empty.buildah("pull", "--tls-verify=false", name))
        print(f"push {pushed - begun:.0f} s, pull and unpack {time.monotonic() - pushed:.0f} s")
        container = run(empty.buildah("from", "--pull-never", name))
        setpriv = Path(run(empty.buildah("mount", container))) / "opt/switch/setpriv"
        assert run(["getcap", str(setpriv)]).endswith("cap_setgid,cap_setuid=ep")
        assert (setpriv.stat().st_mode & 0o7777, setpriv.stat().st_gid) == (0o750, 10001)
    finally:
        process.terminate()
        process.wait(10)
        subprocess.run(empty.buildah("rm", "--all"), capture_output=True, check=False)
        shutil.rmtree(empty.state, ignore_errors=True)
