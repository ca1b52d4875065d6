"""`make deploy STAGE=dev`: everything, in order; run it again after any failure.

Every check comes before the first change. Every step makes something equal to what is wanted and
does nothing when it is so, so a second run continues where the first one ended.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cdk.synthesized import template
from ops import application, build, image, secrets, users, web, webhook
from ops.cloud import Cloud, Problem, connect
from ops.joins import filled, missing
from ops.names import APPLICATION, stack_name
from ops.stacks import StackFailed, Stacks, body

STAGE = re.compile(r"[a-z][a-z0-9]{1,11}")


@dataclass(frozen=True)
class Wanted:
    """What the caller asked for, from the environment of `make deploy`."""

    stage: str
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def bedrock(self) -> str:
        return "true" if self.env.get("BEDROCK", "").lower() in ("1", "true", "yes") else "false"

    @property
    def budget(self) -> str:
        return self.env.get("MONTHLY_BUDGET", "") or "10"

    @property
    def self_sign_up(self) -> str:
        return "true" if self.env.get("SELF_SIGN_UP", "").lower() in ("1", "true", "yes") else "false"

    def parameters(self, stack: str, image_tag: str) -> dict[str, str]:
        """The parameters of a CDK template."""
        more = {
            "auth": {"SelfSignUp": self.self_sign_up},
            "compute": {"ImageTag": image_tag, "Bedrock": self.bedrock},
            "monitoring": {
                "AlarmEmail": self.env.get("EMAIL", ""),
                "MonthlyBudget": self.budget,
            },
        }
        return {"Stage": self.stage} | more.get(stack, {})


def check(wanted: Wanted, image_tag: str) -> Cloud:
    """Everything that can be known before the first change. Raises Problem."""
    if STAGE.fullmatch(wanted.stage) is None:
        raise Problem(f"STAGE={wanted.stage} is no stage's name: 2 to 12 lower-case letters and digits.")
    try:
        build.config(wanted.stage)
    except build.BuildError as error:
        raise Problem(str(error)) from None
    if not wanted.budget.isdigit():
        raise Problem("MONTHLY_BUDGET must be whole US dollars.")
    web.need_node()
    cloud = connect(wanted.stage)
    secrets.need_provider(cloud.secret_names(), wanted.env, wanted.bedrock == "true")
    if not image.exists(cloud, image_tag):
        image.need_docker()
    return cloud


class Deployment:
    """The steps; each may be repeated."""

    def __init__(self, wanted: Wanted, cloud: Cloud, image_tag: str, stacks: Stacks | None = None) -> None:
        self._wanted = wanted
        self._cloud = cloud
        self._tag = image_tag
        self._stacks = stacks or Stacks(cloud.client("cloudformation"))

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Name and work; the work says what came of it."""
        return [
            ("network", lambda: self._stack("network")),
            ("tables, bucket, image repository", lambda: self._stack("storage")),
            ("users", lambda: self._stack("auth")),
            ("secrets", self._secrets),
            ("agent image", self._image),
            ("cluster", lambda: self._stack("compute")),
            ("web distribution", lambda: self._stack("web")),
            ("application", self._application),
            ("Telegram webhook", self._webhook),
            ("monitoring", lambda: self._stack("monitoring")),
            ("web page", self._page),
            ("first user", self._user),
        ]

    def _stack(self, noun: str) -> str:
        made = filled(template(noun), self._cloud.parameters())
        text = json.dumps(made, separators=(",", ":"))
        parameters = self._wanted.parameters(noun, self._tag)
        changed = self._stacks.deploy(stack_name(self._wanted.stage, noun), body(text), parameters)
        return "changed" if changed else "as it was"

    def _secrets(self) -> str:
        given = secrets.from_environment(self._wanted.env)
        secrets.write(self._cloud, given)
        return f"set: {', '.join(sorted(given))}" if given else "as they were"

    def _image(self) -> str:
        if image.exists(self._cloud, self._tag):
            return f"{self._tag} is there"
        image.push(self._cloud, self._tag)
        return f"{self._tag} pushed"

    def _application(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            made = application.package(self._wanted.stage, self._cloud.region, out)
            values = self._cloud.parameters()
            made, bucket = filled(made, values), values["storage/data-bucket"]
            code = (out / "deployment.zip").read_bytes()
            key = f"releases/{hashlib.sha256(code).hexdigest()}.zip"
            application.place_code(made, bucket, key)
            self._upload(bucket, key, code)
        text = json.dumps(made, separators=(",", ":")).encode()
        key = f"releases/{hashlib.sha256(text).hexdigest()}.json"
        url = self._upload(bucket, key, text)
        changed = self._stacks.deploy(stack_name(self._wanted.stage, APPLICATION), {"TemplateURL": url}, {})
        return f"{len(code) / 1e6:.1f} MB, {'changed' if changed else 'as it was'}"

    def _upload(self, bucket: str, key: str, content: bytes) -> str:
        """The object's address; sent again only to put off the day the lifecycle rule removes it."""
        self._cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return f"https://{bucket}.s3.{self._cloud.region}.amazonaws.com/{key}"

    def _webhook(self) -> str:
        name = webhook.register(self._cloud, self._cloud.parameters("api/")["rest-url"])
        return f"@{name}" if name else "no bot is configured"

    def _page(self) -> str:
        web.upload(self._cloud, web.build(), self._cloud.parameters())
        return self._cloud.parameters("web/")["url"]

    def _user(self) -> str:
        email = self._wanted.env.get("EMAIL", "")
        if not email:
            return "none asked for (EMAIL=you@example.com)"
        return f"{email} {'is invited' if users.invite(self._cloud, email) else 'was invited before'}"


def run(steps: list[tuple[str, Callable[[], str]]], stage: str) -> int:
    """Run the steps with a line each; the first failure ends the run."""
    for number, (name, work) in enumerate(steps, 1):
        begun = time.monotonic()
        print(f"[{number:2}/{len(steps)}] {name} …", end=" ", flush=True)
        try:
            said = work()
        except (StackFailed, RuntimeError, build.BuildError, ClientError, BotoCoreError, KeyError) as error:
            print("FAILED", flush=True)
            why = missing(error, stage) if isinstance(error, KeyError) else str(error)
            print(f"\n{why}\n\nWhat is done stays. Run `make deploy STAGE={stage}` again.", file=sys.stderr)
            return 1
        print(f"{said} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--check", action="store_true", help="only say whether a deployment could start")
    options = parser.parse_args()
    wanted, image_tag = Wanted(options.stage), image.tag()
    try:
        cloud = check(wanted, image_tag)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"Stage {cloud.stage} in {cloud.region}, account {cloud.account}.")
    return 0 if options.check else run(Deployment(wanted, cloud, image_tag).steps(), options.stage)


if __name__ == "__main__":
    sys.exit(main())
