"""`RUNTIME=microvm`: the image of this stage, and what the functions are told of it."""

import time
from collections.abc import Mapping
from typing import Any

from cdk import microvm_image
from local.resources import BUCKET, CLUSTER, REGION, Builder

ROLE = f"arn:aws:iam::123456789012:role/{CLUSTER}-task"
BASE = f"arn:aws:lambda:{REGION}:aws:microvm-image:al2023-1"
BUILD_SECONDS = 60.0


class BuildFailed(Exception):
    """The image was not made."""


def build(builder: Builder, environment: Mapping[str, str]) -> dict[str, str]:
    """Begin to make the image; the functions' variables. No zip is read here: the processes are of this folder."""
    archive = f"s3://{BUCKET}/microvm/image.zip"
    told = {
        "HOOKS_HOST": "127.0.0.1",
        "METADATA_OPEN": "1",
        **{name: value for name, value in environment.items() if value},
    }
    asked: dict[str, Any] = microvm_image.request(CLUSTER, BASE, ROLE, archive, told)
    made = builder.client("lambda-microvms").create_microvm_image(**asked)
    names = {"MICROVM_IMAGE": made["imageArn"], "MICROVM_ROLE": ROLE, "MICROVM_LOG_GROUP": f"/{CLUSTER}/agent"}
    return {"RUNTIME": "microvm", **names}


def wait(builder: Builder, functions: Mapping[str, str]) -> None:
    """Until the image can be run. Raises BuildFailed."""
    deadline = time.monotonic() + BUILD_SECONDS
    while time.monotonic() < deadline:
        image = builder.client("lambda-microvms").get_microvm_image(imageIdentifier=functions["MICROVM_IMAGE"])
        if image["state"] == "CREATED":
            return
        if image["state"] != "CREATING":
            raise BuildFailed(image["state"])
        time.sleep(0.1)
    raise BuildFailed(f"not in {BUILD_SECONDS} s")
