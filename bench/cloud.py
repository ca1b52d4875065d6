"""The AWS stand-in and the stubs for sections that call our code in their own process."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import requests

from bench.processes import served
from local.resources import REGION, Builder, Resources


@dataclass(frozen=True)
class Cloud:
    """URLs of the stand-in and of the stubs, and what was built in the first."""

    url: str
    stubs: str
    data: Path
    resources: Resources

    def ask(self, name: str, body: Any = None) -> Any:
        """A word with the stubs (bench/stubs.py)."""
        answer = requests.post(f"{self.stubs}/_bench/{name}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def token(self) -> str:
        """A new user's ID token."""
        session = botocore.session.get_session()
        session.set_credentials("local", "local")
        cognito = session.create_client("cognito-idp", region_name=REGION, endpoint_url=self.url)
        pool, name, word = self.resources.pool_id, f"{uuid.uuid4().hex[:10]}@example.com", f"Test-{uuid.uuid4().hex}-1"
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=word, Permanent=True)
        answer = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=self.resources.client_id,
            AuthFlow="ADMIN_NO_SRP_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": word},
        )
        return str(answer["AuthenticationResult"]["IdToken"])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """Both, with this process's environment as a function of theirs; ECS is the stub's."""
    with served("local.cloud.server", "--data", str(folder / "cloud")) as port, served("bench.stubs") as stubs:
        url, stub_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stubs}"
        resources = Builder(url, folder / "cloud").build({})
        os.environ.update(resources.function_environment(stub_url, ""))
        os.environ["AWS_ENDPOINT_URL_ECS"] = stub_url
        os.environ["MESSAGES_PER_MINUTE"] = "1000000"
        yield Cloud(url, stub_url, folder / "cloud", resources)
