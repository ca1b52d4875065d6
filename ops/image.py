"""The agent's image: named by its content, built with docker, pushed once.

Layers are compressed with zstd, not lazily loaded with SOCI: OpenClaw reads most of its files
when it starts, so fetching them one by one over the network costs more than it saves; zstd
unpacks about three times as fast as gzip and needs no index and no second tool. The two exclude
each other (SOCI indexes gzip layers).
"""

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import ClientError

from ops.cloud import Cloud, Problem, connect, pages
from ops.names import prefix
from ops.steps import ROOT

SOURCES = ("container", "chalicelib")
SKIPPED = ("__pycache__", "node_modules")
DOCKERFILE = "container/Dockerfile"
# The strongest level of the library that docker and buildah share: 17% smaller, 0.2 s more to unpack.
LEVEL = 12
COMPRESSION = f"oci-mediatypes=true,compression=zstd,compression-level={LEVEL},force-compression=true"
# Only the deployed image: each more costs two cents a month. A deployment that fails goes back to the image before it
# and ends before `forget`. To deploy an older commit later is to build its image again.
KEPT = 1
BATCH = 100  # images in one BatchDeleteImage


def tag(root: Path = ROOT) -> str:
    """The same for the same sources, on every machine."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not any(part in SKIPPED for part in path.parts):
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def exists(cloud: Cloud, image_tag: str) -> bool:
    """Whether the repository holds it already."""
    name = f"{prefix(cloud.stage)}/agent"
    try:
        cloud.client("ecr").describe_images(repositoryName=name, imageIds=[{"imageTag": image_tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return True


def forget(cloud: Cloud, deployed: str) -> int:
    """Remove all images but the deployed one (and KEPT - 1 of the newest others). Returns how many were removed.

    A lifecycle rule cannot do this: it counts pushes and might remove the image that tasks start from.
    """
    ecr, name = cloud.client("ecr"), f"{prefix(cloud.stage)}/agent"
    found = pages(ecr, "describe_images", "imageDetails", repositoryName=name, filter={"tagStatus": "TAGGED"})
    others = [entry for entry in found if deployed not in entry["imageTags"]]
    others.sort(key=lambda entry: entry["imagePushedAt"], reverse=True)
    old = [{"imageDigest": entry["imageDigest"]} for entry in others[KEPT - 1 :]]
    for start in range(0, len(old), BATCH):
        ecr.batch_delete_image(repositoryName=name, imageIds=old[start : start + BATCH])
    return len(old)


def need_docker() -> None:
    """Raises Problem when no image can be built here."""
    hint = "or deploy with the workflow on GitHub, which builds it (docs/deployment.md)"
    if shutil.which("docker") is None:
        raise Problem(f"Docker is needed to build the agent's image: install it, {hint}.")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        raise Problem(f"Docker is installed but does not answer: start it, {hint}.")
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
        raise Problem(f"Docker has no buildx, which builds for ARM64: install it, {hint}.")


def push(cloud: Cloud, image_tag: str) -> None:
    """Build for ARM64 and push. Raises Problem without a repository, RuntimeError with docker's last words."""
    repository = cloud.parameters().get("storage/repository-uri")
    if repository is None:
        raise Problem(f"The stage {cloud.stage} has no image repository yet: deploy it first (docs/deployment.md).")
    answer = cloud.client("ecr").get_authorization_token()["authorizationData"][0]
    user, password = base64.b64decode(answer["authorizationToken"]).decode().split(":", 1)
    _docker(["login", "--username", user, "--password-stdin", repository.split("/")[0]], password)
    _docker(build_arguments(f"{repository}:{image_tag}"))


def build_arguments(name: str) -> list[str]:
    output = f"type=image,name={name},push=true,{COMPRESSION}"
    return [
        "buildx",
        "build",
        "--platform=linux/arm64",
        f"--file={DOCKERFILE}",
        "--provenance=false",
        f"--output={output}",
        ".",
    ]


def _docker(arguments: list[str], entered: str | None = None) -> None:
    done = subprocess.run(["docker", *arguments], cwd=ROOT, input=entered, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"docker {arguments[0]} failed: {done.stderr.strip()[-600:]}")


def main() -> int:
    """`python -m ops.image --stage dev`: build and push, unless it is there."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--tag", action="store_true", help="only print the image tag of these sources")
    options = parser.parse_args()
    wanted = tag()
    if options.tag:
        print(wanted)
        return 0
    try:
        cloud = connect(options.stage)
        if exists(cloud, wanted):
            print(f"{wanted} is in the repository already")
            return 0
        need_docker()
        push(cloud, wanted)
    except (Problem, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{wanted} is pushed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
