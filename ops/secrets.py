"""Secrets go from a prompt, a pipe or the environment to SSM, and nowhere else.

python -m ops.secrets --stage dev anthropic-api-key        (asks without echo, or reads a pipe)
python -m ops.secrets --stage dev --list
"""

import argparse
import getpass
import sys
from collections.abc import Mapping

from ops.cloud import Cloud, Problem, connect
from ops.names import parameter

PROVIDERS = ("anthropic-api-key", "openai-api-key", "openrouter-api-key", "gemini-api-key", "deepseek-api-key")
SETTINGS = ("openai-base-url", "model")
TELEGRAM = ("telegram-bot-token", "telegram-webhook-secret")
NAMES = (*PROVIDERS, *SETTINGS, *TELEGRAM)


def from_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Those that are set as ANTHROPIC_API_KEY and the like."""
    return {name: env[variable] for name in NAMES if env.get(variable := name.upper().replace("-", "_"))}


def write(cloud: Cloud, values: Mapping[str, str]) -> None:
    """Store values under their names; the last one wins."""
    ssm = cloud.client("ssm")
    for name, value in values.items():
        ssm.put_parameter(Name=parameter(cloud.stage, name), Value=value, Type="SecureString", Overwrite=True)


def need_provider(present: set[str], env: Mapping[str, str], bedrock: bool) -> None:
    """Raises Problem when the agent would have no model."""
    known = present | set(from_environment(env))
    if bedrock or known & {*PROVIDERS, "openai-base-url"}:
        return
    raise Problem(
        "No model provider is configured: set ANTHROPIC_API_KEY (or OPENAI_, OPENROUTER_, GEMINI_, DEEPSEEK_API_KEY, "
        "or BEDROCK=true) and try again."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Set a secret of a stage.")
    parser.add_argument("--stage", required=True)
    parser.add_argument("--list", action="store_true", help="names of the secrets that are set")
    parser.add_argument("name", nargs="?", choices=NAMES)
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    if options.list or options.name is None:
        print("\n".join(sorted(cloud.secret_names())) or "no secret is set")
        return 0
    value = getpass.getpass(f"{options.name}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not value:
        print("No value was entered, so nothing was changed.", file=sys.stderr)
        return 1
    write(cloud, {options.name: value})
    by_start = options.name == TELEGRAM[0]  # a task keeps the bot's token; other secrets are read again
    when = "Running agents read it at their next start" if by_start else "It is read within 5 minutes"
    print(f"{options.name} is set for {options.stage}. {when}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
