"""A function that says first words, on real tables and with a provider over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.first_words.speaking import FirstWords
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.platform.secrets import Secrets
from chalicelib.platform.settings import Settings
from tests.integration.lifecycle.waking import KEY, waiting
from tests.support.providers import Providers


@pytest.fixture
def provider() -> Iterator[Providers]:
    with Providers() as provider:
        yield provider


@pytest.fixture
def started() -> list[str]:
    """The users that the function started an agent for."""
    return []


@pytest.fixture
def speak(cloud: str, provider: Providers, started: list[str]) -> Any:
    from chalicelib.platform import aws

    aws.client("s3").create_bucket(Bucket="first-words")
    values = {"openai-base-url": provider.url, "openai-api-key": KEY, "model": "some-model"}
    settings, secrets = Settings({"DATA_BUCKET": "first-words"}), Secrets("/test/", lambda path: values)
    speaker = FirstWords(settings, secrets, started.append)
    return lambda message, alone=False: speaker.speak(message.user_id, message.id, alone)


@pytest.fixture
def message(cloud: str) -> Message:
    """It waits, and is in the history."""
    found = waiting("What is the capital of Italy?")
    Conversations().save_question(found)
    return found
