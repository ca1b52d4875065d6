"""What a deployment with RUNTIME=microvm has besides (docs/engines.md). Nothing of it ran on AWS.

The functions get the engine's names as variables and the right to use it. The image is a thin layer on the agent's own
image (container/microvm): a zip in the data bucket, of which CloudFormation builds a new version when it changes.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore
from botocore.exceptions import ClientError

from ops.cloud import Cloud, Problem, pages
from ops.deployment import releases
from ops.names import parameter
from ops.steps import ROOT

Json = dict[str, Any]
FARGATE, MICROVM = "fargate", "microvm"
SERVICE, MODELS = "lambda-microvms", "aws-models"
TASK_ROOT = "/var/task"
LAYER = ROOT / "container" / "microvm"
VARIABLES = {"MICROVM_IMAGE": "microvm/image", "MICROVM_ROLE": "microvm/role", "MICROVM_LOG_GROUP": "microvm/log-group"}
HERE = "arn:${AWS::Partition}:"
PLACE = "${AWS::Region}:${AWS::AccountId}:"
NAME = "serverless-openclaw-${Stage}"
START = ("GetMicrovm", "ResumeMicrovm", "RunMicrovm", "TerminateMicrovm")
RIGHTS: dict[str, tuple[str, ...]] = {
    "api_handler": START,
    "websocket_message": (*START, "SuspendMicrovm"),
    "websocket_disconnect": START,
    "watchdog": START,
    "wake": START,
    "first_words": START,
    "prewarm": ("RunMicrovm",),
}
# No event tells of a machine's end, so these do what task_stopped does on ECS.
ENDINGS = ("websocket_disconnect", "wake")
ENDING_SECONDS = 29  # of websocket_disconnect, which may start the next machine
# Of Lambda's managed image, as cdk/stacks/microvm.py names it.
BASE = "arn:aws:lambda:{region}:aws:microvm-image:al2023-1"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same zip for the same content


def asked(told: Mapping[str, str] | None) -> bool:
    return (told or {}).get("RUNTIME") == MICROVM


def add_model(vendor: Path) -> None:
    """The service's description, for a Lambda runtime that has an older botocore."""
    shutil.copytree(Path(botocore.__file__).parent / "data" / SERVICE, vendor / MODELS / SERVICE)


def variables(stage: str) -> dict[str, str]:
    """Of every function."""
    named = {name: "{{resolve:ssm:" + parameter(stage, path) + "}}" for name, path in VARIABLES.items()}
    return {"RUNTIME": MICROVM, "AWS_DATA_PATH": f"{TASK_ROOT}/{MODELS}"} | named


def statements(function: str) -> list[Json]:
    """What a function's policy has besides.

    Roles are passed without a condition on the service: those who run MicroVMs report that RunMicrovm is refused with
    one. Lambda knows no resource for the list, nor for the connectors that a machine has unasked.
    """
    found = []
    if function in RIGHTS:
        rights = [f"lambda:{right}" for right in sorted(RIGHTS[function])]
        anywhere = ["lambda:PassNetworkConnector", *(["lambda:ListMicrovms"] if function == "watchdog" else [])]
        found = [
            _allow(rights, f"{HERE}lambda:{PLACE}microvm-image:{NAME}"),
            _allow(anywhere, "*"),
            _allow(["iam:PassRole"], f"{HERE}iam::${{AWS::AccountId}}:role/{NAME}-microvm"),
            _allow(["lambda:InvokeFunction"], f"{HERE}lambda:{PLACE}function:{NAME}-wake"),
        ]
    if function in ENDINGS:
        ending = json.loads((ROOT / ".chalice" / "policy-task_stopped.json").read_text())["Statement"]
        found += [entry for entry in ending if "logs:PutLogEvents" not in entry["Action"]]
    return found


def _allow(actions: list[str], resource: str) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource]}


def policy(function: str, text: str) -> str:
    """A function's policy file with these rights in it."""
    document: Json = json.loads(text)
    return json.dumps(document | {"Statement": document["Statement"] + statements(function)}, indent=2) + "\n"


def archive(image: str) -> bytes:
    """The zip that the MicroVM image is built from, on the agent's image of that name."""
    first = "ARG AGENT_IMAGE\nFROM ${AGENT_IMAGE}\n"
    dockerfile = (LAYER / "Dockerfile").read_text()
    if first not in dockerfile:
        raise RuntimeError(f"{LAYER / 'Dockerfile'} does not begin on the agent's image")
    files = {"Dockerfile": dockerfile.replace(first, f"FROM {image}\n"), "closed.py": (LAYER / "closed.py").read_text()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, text in files.items():
            folder.writestr(zipfile.ZipInfo(name, LONG_AGO), text)
    return out.getvalue()


def upload(cloud: Cloud, image_tag: str) -> str:
    """Put the zip into the data bucket and return its key."""
    values = cloud.parameters()
    image = f"{values['storage/repository-uri']}:{image_tag}"
    return releases.upload(cloud, values["storage/data-bucket"], archive(image), "microvm.zip")


def base_version(cloud: Cloud) -> str:
    """The newest version of Lambda's managed image that can be built on. Raises Problem if this region has none."""
    asked = {"imageIdentifier": BASE.format(region=cloud.region)}
    try:
        client = cloud.client("lambda-microvms")
        found = list(pages(client, "list_managed_microvm_image_versions", "items", **asked))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDeniedException", "ResourceNotFoundException"):
            raise
        # A region without the service answers like this too; a real refusal names who asked for what.
        why = error.response["Error"].get("Message") or "it gives no reason, as where the service is not offered"
        raise Problem(f"{cloud.region} refuses to list Lambda's MicroVM images ({why}): choose another.") from None
    usable = [item for item in found if item.get("status", "AVAILABLE") == "AVAILABLE"]
    if not usable:
        raise Problem(f"{cloud.region} has no MicroVM image to build on: choose another AWS_REGION.")
    return str(max(usable, key=lambda item: item["createdAt"])["imageVersion"])


def quotas(cloud: Cloud) -> list[str]:
    """What the account allows of MicroVMs, by the names that Service Quotas gives them. A note for the terminal."""
    try:
        client = cloud.client("service-quotas")
        found = list(pages(client, "list_service_quotas", "Quotas", ServiceCode="lambda"))
    except ClientError as error:
        return [f"Not checked: quotas of MicroVMs ({error.response['Error']['Code']})."]
    named = [f"{quota['QuotaName']} {quota['Value']:g}" for quota in found if "microvm" in quota["QuotaName"].lower()]
    return [f"Quotas of MicroVMs: {', '.join(sorted(named))}." if named else "Not checked: no quota names MicroVMs."]
