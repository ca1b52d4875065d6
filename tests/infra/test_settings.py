"""Settings of `make deploy`: given, kept for the next time, cleared (docs/deployment.md)."""

import json
from collections.abc import Iterator

import botocore.session
import pytest
from moto import mock_aws

from ops.cloud import Cloud, Problem
from ops.deployment import settings
from ops.steps import ROOT


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", "dev")


def deployed(cloud: Cloud, env: dict[str, str]) -> settings.Settings:
    """As one `make deploy` does it."""
    found = settings.settle(env, settings.stored(cloud))
    settings.store(cloud, found)
    return found


def test_a_second_deployment_that_is_told_nothing_undoes_nothing(cloud: Cloud) -> None:
    told = {
        "EMAIL": "a@example.com",
        "MONTHLY_BUDGET": "25",
        "SELF_SIGN_UP": "yes",
        "BEDROCK": "true",
        "RUNTIME": "MicroVM",
        "PREWARM_CRONS": "0 8 * * ? *",
        "PREWARM_MINUTES": "45",
        "PREWARM_BUDGET_USD": "0",
        "MESSAGES_PER_MINUTE": "60",
        "FIRST_WORDS": "no",
        "FIRST_WORDS_MODEL": "openai/small",
        "TELEGRAM_ALLOWED_IDS": "1,2",
        "IPV6_ONLY": "1",
        "AGENT_CPU": "512",
    }
    assert set(told) == set(settings.KNOWN)
    first, second = deployed(cloud, told), deployed(cloud, {})
    assert second.of_functions() == first.of_functions()
    assert {setting.source for _, setting in second} == {"stored"}
    assert second["SELF_SIGN_UP"] == "true"


def test_without_a_word_the_defaults_stand_and_nothing_is_stored(cloud: Cloud) -> None:
    found = deployed(cloud, {})
    assert (found["MONTHLY_BUDGET"], found["BEDROCK"], found["EMAIL"]) == ("10", "false", "")
    assert {setting.source for _, setting in found} == {"default"}
    assert settings.stored(cloud) == {}


def test_an_empty_variable_clears_what_was_stored(cloud: Cloud) -> None:
    deployed(cloud, {"EMAIL": "a@example.com", "MONTHLY_BUDGET": "25"})
    assert deployed(cloud, {"EMAIL": " "})["EMAIL"] == ""
    assert settings.stored(cloud) == {"MONTHLY_BUDGET": "25"}
    deployed(cloud, {"EMAIL": ""})


def test_what_is_given_wins_and_is_the_stored_one_afterwards(cloud: Cloud) -> None:
    deployed(cloud, {"MONTHLY_BUDGET": "25"})
    assert deployed(cloud, {"MONTHLY_BUDGET": "30"})["MONTHLY_BUDGET"] == "30"
    assert deployed(cloud, {})["MONTHLY_BUDGET"] == "30"


def test_each_is_shown_with_where_it_is_from(cloud: Cloud) -> None:
    deployed(cloud, {"MONTHLY_BUDGET": "25"})
    text = [line.split() for line in settings.settle({"BEDROCK": "1"}, settings.stored(cloud)).lines()]
    assert ["MONTHLY_BUDGET", "25", "stored"] in text
    assert ["BEDROCK", "true", "given"] in text
    assert ["EMAIL", "-", "default"] in text
    assert len(text) == len(settings.KNOWN)


def test_they_are_plain_parameters_a_level_below_what_agents_read(cloud: Cloud) -> None:
    deployed(cloud, {"TELEGRAM_ALLOWED_IDS": "1, 2"})
    name = "/serverless-openclaw/dev/config/telegram-allowed-ids"
    found = cloud.client("ssm").get_parameter(Name=name)["Parameter"]
    assert (found["Type"], found["Value"]) == ("String", "1, 2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONTHLY_BUDGET", "ten"),
        ("MONTHLY_BUDGET", "0"),
        ("BEDROCK", "perhaps"),
        ("TELEGRAM_ALLOWED_IDS", "@me"),
        ("MESSAGES_PER_MINUTE", "-1"),
        ("PREWARM_BUDGET_USD", "a few"),
        ("AGENT_CPU", "256"),
        ("AGENT_CPU", "half"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(Problem) as problem:
        settings.settle({name: value}, {})
    assert str(problem.value).startswith(f"{name}={value} cannot be used")
    assert str(problem.value).endswith(".")


def test_the_functions_defaults_are_those_of_the_committed_configuration() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    for stage in stages.values():
        variables = stage["environment_variables"]
        shared = settings.KNOWN.keys() & variables.keys()
        assert shared == settings.KNOWN.keys() - {"EMAIL", "MONTHLY_BUDGET", "SELF_SIGN_UP", "BEDROCK", "RUNTIME"}
        assert {name: variables[name] for name in shared} == {name: settings.KNOWN[name][0] for name in shared}
