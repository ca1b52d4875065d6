"""`python -m ops.building`: the agent's image from our Dockerfile, and the size of each layer.

With docker where it runs, else with Debian's buildah (needs root, debootstrap and the package registries).
The result is an OCI image layout in `IMAGE_FOLDER` (.local/image): layers compressed with zstd, as they are pushed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ops.building import base, clients
from ops.building.layers import layers, table
from ops.building.store import IMAGE, BuildFailed, Store, run
from ops.image import COMPRESSION, DOCKERFILE, LEVEL


def docker_runs() -> bool:
    """Whether docker and its buildx answer."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "buildx", "version"])
    return all(subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in asked)


def with_docker(store: Store) -> None:
    """Raises BuildFailed."""
    output = f"type=oci,tar=false,dest={store.layout},{COMPRESSION}"
    run(["docker", "buildx", "build", f"--file={DOCKERFILE}", "--provenance=false", f"--output={output}", "."])
    if os.geteuid() == 0 and shutil.which("skopeo") is not None:
        run(["skopeo", "copy", f"oci:{store.layout}", store.transport])
        store.ready.touch()
    else:
        print("`make image-check` cannot run it: that needs root, skopeo and podman")


def with_buildah(store: Store, pulled: str | None) -> None:
    """`pulled` is a base image to pull instead of making one. Raises BuildFailed."""
    if os.geteuid() != 0:
        raise BuildFailed("buildah's chroot needs root here")
    origin = pulled or base.make(store)
    with tempfile.TemporaryDirectory(prefix="home-") as home:
        mounts = clients.write(Path(home), os.environ)
        run(
            store.buildah(
                *("bud", "--layers", "--format=docker", "--isolation=chroot", "--network=host"),
                *(f"--pull{'' if pulled else '-never'}", f"--build-arg=PYTHON_IMAGE={origin}", *mounts),
                *(f"--file={DOCKERFILE}", f"--ignorefile={DOCKERFILE}.dockerignore", f"--tag={IMAGE}", "."),
            )
        )
    zstd = ("--format=oci", "--compression-format=zstd", f"--compression-level={LEVEL}")
    run(store.buildah("push", *zstd, IMAGE, f"oci:{store.layout}"))
    store.ready.touch()


def main() -> int:
    parser = argparse.ArgumentParser(description="The agent's image, on this machine.")
    parser.add_argument(
        "--base", help="with buildah: pull this base image instead of making one from Debian's packages"
    )
    options = parser.parse_args()
    begun, store = time.monotonic(), Store()
    store.folder.mkdir(parents=True, exist_ok=True)
    store.ready.unlink(missing_ok=True)
    shutil.rmtree(store.layout, ignore_errors=True)
    try:
        builder = "docker" if docker_runs() else "buildah"
        print(f"  … building with {builder}: a minute or two, the first time about four", flush=True)
        if builder == "docker":
            with_docker(store)
        else:
            with_buildah(store, options.base)
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(table(layers(store.layout)))
    print(f"image: {store.layout}, built with {builder} in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
