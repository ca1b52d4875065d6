"""`make image` and `make image-check`: what needs no builder to be tested."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.building import __main__ as builder
from ops.building import base, clients
from ops.building.layers import Layer, layers, step, table
from ops.building.store import BuildFailed, Store, run
from ops.container import definition, options


def test_the_settings_of_pip_and_npm_reach_the_steps_without_a_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    environment = {
        "PIP_INDEX_URL": "https://pip.example/simple",
        "PIP_FIND_LINKS": "/somewhere/wheels",
        "PIP_CERT": "/somewhere/ca.pem",
        "NPM_CONFIG_REGISTRY": "https://npm.example/",
        "npm_config_cafile": "/somewhere/ca.pem",
        "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
    }
    home = tmp_path / "home"
    mounts = clients.write(home, environment)
    assert mounts == [f"--volume={home}:/root", f"--volume={tmp_path / 'ca.pem'}:{clients.BUNDLE}:ro"]
    pip = (home / ".config" / "pip" / "pip.conf").read_text()
    assert pip == f"[global]\nindex-url = https://pip.example/simple\ncert = {clients.BUNDLE}\n"
    assert (home / ".npmrc").read_text() == f"registry=https://npm.example/\ncafile={clients.BUNDLE}\n"


def test_the_certificates_are_where_a_variable_says(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    assert clients.bundle({"NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.pem")}) == tmp_path / "ca.pem"
    assert clients.bundle({"SSL_CERT_FILE": str(tmp_path / "none")}) != tmp_path / "none"


def test_the_base_keeps_nothing_of_this_machine_and_no_documentation(tmp_path: Path) -> None:
    kept = "usr/share/doc/git/copyright"
    gone = ("etc/hostname", "etc/resolv.conf", "usr/share/doc/git/news", "usr/share/man/man1/git", "var/cache/apt/a/b")
    for name in (kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    base.slim(tmp_path)
    assert (tmp_path / kept).exists()
    assert [name for name in gone if (tmp_path / name).exists()] == []
    assert "path-exclude /usr/share/man/*" in (tmp_path / "etc/dpkg/dpkg.cfg.d/docker").read_text()


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ("/bin/sh -c #(nop) COPY dir:0a1b in /opt/node ", "COPY /opt/node"),
        ("/bin/sh -c apt-get update  && rm x", "RUN apt-get update && rm x"),
        ("/bin/sh", "the base image"),
        ("|1 VERSION=1.2 /bin/sh -c make", "RUN make"),
        ("RUN |1 VERSION=1.2 /bin/sh -c make # buildkit", "RUN make"),
        ("COPY /opt/node /opt/node # buildkit", "COPY /opt/node /opt/node"),
    ],
)
def test_a_step_reads_the_same_from_both_builders(created_by: str, shown: str) -> None:
    assert step(created_by) == shown


def layout(folder: Path, sizes: list[int], behind_index: bool) -> Path:
    """An OCI image layout with layers of these sizes, and a setting that made no layer."""

    def put(name: str, content: Any) -> dict[str, str]:
        (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / "sha256" / name).write_text(json.dumps(content))
        return {"digest": f"sha256:{name}"}

    history: list[dict[str, Any]] = [{"created_by": f"RUN {size}"} for size in sizes]
    config = put("c0", {"history": [{"created_by": "USER 1", "empty_layer": True}, *history]})
    entries = [{"size": size, "mediaType": "zstd"} for size in sizes]
    manifest = put("aa", {"config": config, "layers": entries})
    top = put("bb", {"manifests": [manifest]}) if behind_index else manifest
    (folder / "index.json").write_text(json.dumps({"manifests": [top]}))
    return folder


@pytest.mark.parametrize("behind_index", [False, True])
def test_sizes_are_read_with_their_steps(tmp_path: Path, behind_index: bool) -> None:
    found = layers(layout(tmp_path, [5_000_000, 245_000_000], behind_index))
    assert found == [Layer("RUN 5000000", 5_000_000, "zstd"), Layer("RUN 245000000", 245_000_000, "zstd")]
    assert "250.0 MB in all, compressed: within the bar" in table(found)
    assert "ABOVE the bar" in table([*found, Layer("COPY", 100_000, "zstd")])


def test_docker_makes_the_same_layout_as_it_pushes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(builder, "run", calls.append)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    store = Store(tmp_path)
    builder.with_docker(store)
    build, copy = calls
    output = f"--output=type=oci,tar=false,dest={tmp_path}/oci,oci-mediatypes=true,compression=zstd"
    assert [option for option in build if option.startswith(output)]
    assert copy[:3] == ["skopeo", "copy", f"oci:{tmp_path}/oci"]
    assert store.ready.exists()


def test_without_docker_and_root_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(BuildFailed, match="root"):
        builder.with_buildah(Store(tmp_path), None)
    with pytest.raises(BuildFailed, match="no-such-program is missing"):
        run(["no-such-program"])
    with pytest.raises(BuildFailed, match="false ended with 1"):
        run(["false"])


def test_the_task_definition_becomes_podmans_options() -> None:
    found = options(definition(), 4711, "/usr/bin/init")
    assert {"--read-only", "--read-only-tmpfs=false", "--init", "--init-path=/usr/bin/init"} <= set(found)
    assert "--cap-drop=CHOWN" in found
    assert not [option for option in found if option in ("--cap-drop=SETUID", "--cap-drop=SETGID")]
    health = next(option for option in found if option.startswith("--health-cmd="))
    assert "http://127.0.0.1:4711/health" in health
    assert json.loads(health.removeprefix("--health-cmd="))[0] == "python3"
    assert {f"--stop-timeout={definition()['stopTimeout']}", f"--memory={definition()['memory']}m"} <= set(found)
    assert "--init" not in options(definition(), 4711, None)
