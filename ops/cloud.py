"""The AWS account that a command works on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from ops.names import parameter


class Problem(Exception):
    """Nothing was changed; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Cloud:
    """One account, region and stage."""

    session: Any
    region: str
    account: str
    stage: str

    def client(self, service: str) -> Any:
        return self.session.create_client(service, region_name=self.region)

    def parameters(self, path: str = "") -> dict[str, str]:
        """The stage's plain parameters below a path, by the rest of their names. Secrets are left out."""
        start = parameter(self.stage, path)
        pages = (
            self.client("ssm")
            .get_paginator("get_parameters_by_path")
            .paginate(Path=start, Recursive=True, WithDecryption=False)
        )
        return {
            entry["Name"].removeprefix(start): entry["Value"]
            for page in pages
            for entry in page["Parameters"]
            if entry["Type"] != "SecureString"
        }

    def secret_names(self) -> set[str]:
        """Which secrets are set; their values stay where they are."""
        start = parameter(self.stage)
        pages = (
            self.client("ssm")
            .get_paginator("describe_parameters")
            .paginate(
                ParameterFilters=[
                    {"Key": "Path", "Option": "OneLevel", "Values": [start.rstrip("/")]},
                    {"Key": "Type", "Values": ["SecureString"]},
                ]
            )
        )
        return {entry["Name"].removeprefix(start) for page in pages for entry in page["Parameters"]}


def connect(stage: str) -> Cloud:
    """The caller's account. Raises Problem without credentials or region."""
    session = botocore.session.get_session()
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if not region:
        raise Problem("No AWS region is set: put AWS_REGION=us-east-1 (or yours) before the command.")
    try:
        found = session.get_credentials()
    except BotoCoreError as error:
        raise Problem(f"The AWS profile cannot be used: {error}") from None
    if found is None:
        raise Problem("No AWS credentials were found: run `aws configure` or set AWS_PROFILE, and try again.")
    try:
        account = session.create_client("sts", region_name=region).get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        # What AWS answers as well where a region is off, as newer ones are at first.
        hint = (
            f" If {region} is switched off in this account, enable it." if "InvalidClientTokenId" in str(error) else ""
        )
        raise Problem(f"AWS does not accept these credentials: {error}{hint}") from None
    return Cloud(session, str(region), str(account), stage)


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """All entries of a paged answer."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])
