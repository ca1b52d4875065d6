"""`make deploy STAGE=dev`: runs all steps in order. Run it again after a failure.

All checks run before the first change. Every step is idempotent, so a second run continues where the
first one ended.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cdk.synthesized import template
from chalicelib.telegram.api import TelegramError
from ops import image, push_keys, secrets, telegram, users
from ops.cloud import Cloud, Problem
from ops.deployment import application, build, engine, former, releases, roles, settings, web
from ops.deployment.joins import filled, missing
from ops.deployment.preflight import Wanted, check
from ops.deployment.stacks import StackFailed, Stacks, body
from ops.names import APPLICATION, stack_name

Steps = list[tuple[str, Callable[[], str]]]


class Undone(Exception):
    """An optional step failed: the run continues and prints this message at the end."""


class Deployment:
    """The steps; each may be repeated."""

    def __init__(
        self,
        wanted: Wanted,
        cloud: Cloud,
        image_tag: str,
        stacks: Stacks | None = None,
        make_bot: Callable[[str], telegram.Bot] = telegram.bot,
    ) -> None:
        self._wanted = wanted
        self._cloud = cloud
        self._tag = image_tag
        self._stacks = stacks or Stacks(cloud.client("cloudformation"))
        self._make_bot = make_bot
        self._former: former.Former | None = None

    def steps(self) -> Steps:
        """The steps: a name and a function that returns its result in words."""
        return [
            ("settings", lambda: settings.store(self._cloud, self._wanted.settings)),
            ("role of ECS", lambda: roles.need(self._cloud)),
            ("network", lambda: self._stack("network")),
            ("tables, bucket, image repository", lambda: self._stack("storage")),
            ("users", lambda: self._stack("auth")),
            ("secrets", self._secrets),
            ("agent image", self._image),
            ("cluster", lambda: self._stack("compute")),
            *([("MicroVM image", self._microvm)] if self._wanted.microvm else []),
            ("web distribution", lambda: self._stack("web")),
            ("keys for notifications", self._push_keys),
            ("application", self._application),
            ("Telegram webhook", self._webhook),
            ("monitoring", lambda: self._stack("monitoring")),
            ("web page", self._page),
            ("first user", self._user),
            ("old releases and images", self._forget),
        ]

    def _stack(self, noun: str, **more: str) -> str:
        values = self._cloud.parameters()
        text = json.dumps(filled(template(noun), values), separators=(",", ":"))
        parameters = self._wanted.parameters(noun, self._tag, values.get("network/ipv6", "no")) | more
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

    def _microvm(self) -> str:
        """CloudFormation waits for the build: minutes, if anything of the image has changed."""
        return self._stack("microvm", CodeKey=engine.upload(self._cloud, self._tag))

    def _push_keys(self) -> str:
        return push_keys.store(self._cloud, self._cloud.parameters("web/")["url"])

    def _application(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            told = self._wanted.settings.of_functions()
            made = application.package(self._wanted.stage, self._cloud.region, out, told)
            if not self._wanted.microvm and (left := former.look(self._cloud, self._stacks)):
                self._former = left
                left.let_speak(made)
            values = self._cloud.parameters()
            made, bucket = filled(made, values), values["storage/data-bucket"]
            code = (out / "deployment.zip").read_bytes()
            application.place_code(made, bucket, releases.upload(self._cloud, bucket, code, "zip"))
        text = json.dumps(made, separators=(",", ":")).encode()
        url = releases.url(self._cloud, bucket, releases.upload(self._cloud, bucket, text, "json"))
        changed = self._stacks.deploy(stack_name(self._wanted.stage, APPLICATION), {"TemplateURL": url}, {})
        return f"{len(code) / 1e6:.1f} MB, {'changed' if changed else 'as it was'}"

    def _webhook(self) -> str:
        """Runs before the page is built, because the page names the bot. Everything else works without the bot."""
        url = telegram.webhook(self._cloud.parameters("api/")["rest-url"])
        try:
            name = telegram.register(self._cloud, url, self._make_bot)
        except TelegramError as error:
            how = f"`python -m ops.secrets --stage {self._cloud.stage} telegram-bot-token` sets another token"
            raise Undone(f"Telegram did not take the webhook ({error}); {how}.") from None
        return f"@{name}" if name else "no bot is configured"

    def _page(self) -> str:
        web.upload(self._cloud, web.build(), self._cloud.parameters())
        return self._cloud.parameters("web/")["url"]

    def _user(self) -> str:
        email = self._wanted.settings["EMAIL"]
        if not email:
            return "none asked for (EMAIL=you@example.com)"
        said = users.invite(self._cloud, email)
        users.make_owner(self._cloud, email)
        return f"{email} {said}, and is an owner"

    def _forget(self) -> str:
        code = releases.forget(self._cloud, self._cloud.parameters("storage/")["data-bucket"])
        said = f"{code + image.forget(self._cloud, self._tag)} removed"
        return said if self._former is None else f"{said}; the second engine's stack: {self._former.remove()}"


def run(steps: Steps, stage: str) -> int:
    """Run the steps with a line each; the first failure ends the run, Undone only its status."""
    undone: list[str] = []
    for number, (name, work) in enumerate(steps, 1):
        begun = time.monotonic()
        print(f"[{number:2}/{len(steps)}] {name} …", end=" ", flush=True)
        try:
            said = work()
        except Undone as error:
            print("NOT DONE", flush=True)
            undone.append(f"{name}: {error}")
            continue
        except (Problem, StackFailed, RuntimeError, build.BuildError, ClientError, BotoCoreError, KeyError) as error:
            print("FAILED", flush=True)
            why = missing(error, stage) if isinstance(error, KeyError) else str(error)
            print(f"\n{why}\n\nThe finished steps stay. Run `make deploy STAGE={stage}` again.", file=sys.stderr)
            return 1
        print(f"{said} ({time.monotonic() - begun:.0f} s)", flush=True)
    if undone:
        print("\nEverything else is deployed. " + "\n".join(undone), file=sys.stderr)
    return 1 if undone else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--check", action="store_true", help="only check whether a deployment can start")
    options = parser.parse_args()
    image_tag = image.tag()
    try:
        cloud, wanted = check(options.stage, os.environ, image_tag)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"Stage {cloud.stage} in {cloud.region}, account {cloud.account}.")
    print("\n".join([*wanted.settings.lines(), *wanted.notes]))
    return 0 if options.check else run(Deployment(wanted, cloud, image_tag).steps(), options.stage)


if __name__ == "__main__":
    sys.exit(main())
