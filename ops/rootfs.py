"""The agent's image without docker: our Dockerfile's own steps, run in a chroot.

`python -m ops.rootfs FOLDER [--base TREE]` makes FOLDER/<stage> for each stage and FOLDER/image.json,
which `ops.container` starts. It deletes the old content of FOLDER. It needs root and Debian's debootstrap.

Differences from a real build: Debian's own Python (3.11) replaces the base image's, in a virtual environment
at /usr/local, the place in that image. The architecture, the certificates and the name servers are this
machine's. There are no layers and no cache.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ops.dockerfile import NotUnderstood, Settings, Stage, Step, parse
from ops.image import SKIPPED
from ops.steps import ROOT

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PACKAGES = "python3,python3-venv,ca-certificates"
# The package clients and their settings on this machine.
PASSED_ON = ("PIP_", "NPM_CONFIG_", "npm_config_", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# In its own mount and process namespaces, so that no mount and no process is left over.
ENTER = """
set -e
root=$1; folder=$2; shift 2
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
  if [ -e "$file" ] && [ -e "$root$file" ]; then mount --bind "$file" "$root$file"; fi
done
exec chroot "$root" /bin/sh -c 'cd "$0" && exec /bin/sh -c "$1"' "$folder" "$1"
"""


class BuildFailed(Exception):
    """A step ended otherwise than with status 0."""


def bootstrap(base: Path) -> None:
    """Debian 12 with Python, once: `base` appears whole or not at all. Raises BuildFailed."""
    if base.exists():
        return
    if shutil.which("debootstrap") is None:
        raise BuildFailed("debootstrap is missing (Debian: apt-get install debootstrap)")
    unfinished = base.with_name(base.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(unfinished)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"debootstrap failed:\n{done.stdout[-2000:]}")
    run(unfinished, "python3 -m venv /usr/local && rm -rf /var/cache/apt/*.bin /var/lib/apt/lists/*", {}, "/")
    unfinished.rename(base)


def run(root: Path, command: str, env: Mapping[str, str], folder: str) -> None:
    """A RUN step. Raises BuildFailed with its last words."""
    machine = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    machine.pop("PIP_FIND_LINKS", None)  # a folder of this machine
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(root), folder, command],
        env=machine | {"PATH": PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"} | dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"RUN {command}\nended with {done.returncode}:\n{done.stdout[-3000:]}")


class Build:
    """Stages below `folder`, each a copy of the base with its steps applied."""

    def __init__(self, folder: Path, base: Path, context: Path = ROOT) -> None:
        self._folder = folder
        self._base = base
        self._context = context

    def stage(self, stage: Stage) -> Settings:
        """Execute all steps. Raises BuildFailed."""
        root = self._folder / stage.name
        source = self._folder / stage.base
        subprocess.run(["cp", "-a", str(source if source.exists() else self._base), str(root)], check=True)
        settings = Settings(environment={"PATH": PATH})
        for step in stage.steps:
            begun = time.monotonic()
            if settings.take(step):
                continue
            if step.name == "RUN":
                run(root, step.value, settings.arguments | settings.environment, settings.folder)
            elif step.name == "WORKDIR":
                self._inside(root, settings.folder).mkdir(parents=True, exist_ok=True)
            else:
                self.copy(root, step, settings)
            print(f"  [{time.monotonic() - begun:6.1f} s] {stage.name}: {step.name} {step.value[:70]}", flush=True)
        return settings

    def copy(self, root: Path, step: Step, settings: Settings) -> None:
        """Copy files or a folder's content as COPY does. The copies belong to root."""
        words = shlex.split(settings.expand(step.value))
        options = dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--"))
        if set(options) - {"from"}:
            raise NotUnderstood(f"line {step.line}: COPY with {sorted(options)}")
        *sources, wanted = [word for word in words if not word.startswith("--")]
        origin = self._folder / options["from"] if "from" in options else self._context
        target = self._inside(root, os.path.join(settings.folder, wanted))
        for name in sources:
            source = self._inside(origin, name)
            if not source.is_dir():
                place = target / source.name if wanted.endswith("/") or len(sources) > 1 else target
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, place)
            elif "from" in options:  # with owners, links and capabilities
                target.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
            else:
                skipped = shutil.ignore_patterns(*SKIPPED)
                shutil.copytree(source, target, ignore=skipped, dirs_exist_ok=True, symlinks=True)
                subprocess.run(["chown", "-R", "0:0", str(target)], check=True)

    @staticmethod
    def _inside(root: Path, name: str) -> Path:
        return root / name.lstrip("/")


def build(folder: Path, base: Path, dockerfile: Path = ROOT / "container" / "Dockerfile") -> Settings:
    """Every stage; what the last one says of itself. Raises BuildFailed or NotUnderstood."""
    folder.mkdir(parents=True)
    stages = parse(dockerfile.read_text())
    build = Build(folder, base)
    for stage in stages:
        settings = build.stage(stage)
    (folder / "image.json").write_text(json.dumps(vars(settings) | {"root": str(folder / stages[-1].name)}, indent=1))
    before = megabytes(base)
    for stage in stages:
        print(f"  {stage.name}: {megabytes(folder / stage.name) - before} MB above the base's {before} MB")
    return settings


def megabytes(folder: Path) -> int:
    done = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def main() -> int:
    parser = argparse.ArgumentParser(description="The agent's image as a tree of files, without docker.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", type=Path, default=ROOT / ".local" / "debian-base", help="made when it is missing")
    options = parser.parse_args()
    begun = time.monotonic()
    if os.geteuid() != 0:
        print("a chroot and its owners need root", file=sys.stderr)
        return 1
    try:
        bootstrap(options.base)
        print(f"  [{time.monotonic() - begun:6.1f} s] the base is there", flush=True)
        folder = options.folder.resolve()
        if folder.exists():
            shutil.rmtree(folder)
        build(folder, options.base.resolve())
    except (BuildFailed, NotUnderstood) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"image: {options.folder} in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
