"""Who gets in, and what an agent's task is made of (requirements A2, A6, B3, D)."""

import json
import re
from typing import Any

import pytest

from cdk.synthesized import Deployment
from ops.deployment.preflight import Wanted
from ops.deployment.settings import settle

Json = dict[str, Any]


def test_strangers_cannot_register_unless_asked_for(dev: Deployment) -> None:
    closed = dev.one("auth", "AWS::Cognito::UserPool")
    assert closed["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    opened = Deployment("dev", parameters={"SelfSignUp": "true"}).one("auth", "AWS::Cognito::UserPool")
    assert opened["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}


def test_sign_in_is_by_verified_email(dev: Deployment) -> None:
    pool = dev.one("auth", "AWS::Cognito::UserPool")
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["AutoVerifiedAttributes"] == ["email"]


def test_mfa_is_offered_by_app_not_by_sms(dev: Deployment) -> None:
    pool = dev.one("auth", "AWS::Cognito::UserPool")
    assert pool["MfaConfiguration"] == "OPTIONAL"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_passwords_are_long(dev: Deployment) -> None:
    assert dev.one("auth", "AWS::Cognito::UserPool")["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12


def test_the_web_client_has_no_secret_and_sends_no_password(dev: Deployment) -> None:
    client = dev.one("auth", "AWS::Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    assert set(client["ExplicitAuthFlows"]) == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}


def test_the_client_reveals_no_accounts_and_can_revoke(dev: Deployment) -> None:
    client = dev.one("auth", "AWS::Cognito::UserPoolClient")
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert (client["IdTokenValidity"], client["TokenValidityUnits"]["IdToken"]) == (60, "minutes")


def test_there_is_time_to_set_up_an_authenticator(dev: Deployment) -> None:
    """Between two steps of a sign-in Cognito would wait for three minutes only."""
    assert dev.one("auth", "AWS::Cognito::UserPoolClient")["AuthSessionValidity"] == 15


def container(dev: Deployment) -> Json:
    (found,) = dev.one("compute", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return dict(found)


def test_the_cluster_has_spot_and_on_demand(dev: Deployment) -> None:
    cluster = dev.one("compute", "AWS::ECS::Cluster")
    assert cluster["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["DefaultCapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]


def test_container_insights_are_off(dev: Deployment) -> None:
    (setting,) = dev.one("compute", "AWS::ECS::Cluster")["ClusterSettings"]
    assert setting == {"Name": "containerInsights", "Value": "disabled"}


def test_the_task_is_arm64_on_fargate(dev: Deployment) -> None:
    task = dev.one("compute", "AWS::ECS::TaskDefinition")
    assert task["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert task["RequiresCompatibilities"] == ["FARGATE"]
    assert task["NetworkMode"] == "awsvpc"


@pytest.mark.parametrize("cpu", ["1024", "512"])
def test_the_size_is_one_that_fargate_has(cpu: str) -> None:
    task = Deployment("dev", parameters={"AgentCpu": cpu}).one("compute", "AWS::ECS::TaskDefinition")
    assert task["Cpu"] == cpu
    assert (task["Cpu"], task["Memory"]) in {("512", "2048"), ("1024", "2048"), ("1024", "3072"), ("1024", "4096")}


def test_a_task_has_a_whole_processor_unless_asked_for_half(dev: Deployment) -> None:
    assert dev.task_definition()["cpu"] == "1024"
    wanted = Wanted("dev", settle({"AGENT_CPU": "512"}, {}), {})
    assert wanted.parameters("compute", "tag")["AgentCpu"] == "512"


def test_the_container_is_the_one_run_task_names(dev: Deployment) -> None:
    from chalicelib.agents.containers import CONTAINER

    assert container(dev)["Name"] == CONTAINER


def test_the_image_cannot_be_written_to(dev: Deployment) -> None:
    assert container(dev)["ReadonlyRootFilesystem"] is True
    writable = {mount["ContainerPath"] for mount in container(dev)["MountPoints"] if not mount["ReadOnly"]}
    assert writable == {"/home/agent", "/tmp"}
    assert "Privileged" not in container(dev)


def test_a_stop_leaves_time_for_the_last_writes(dev: Deployment) -> None:
    """Spot gives 120 s; the Bridge promises to be done in 30."""
    assert 30 < container(dev)["StopTimeout"] <= 120
    assert container(dev)["LinuxParameters"]["InitProcessEnabled"] is True


def test_health_is_what_the_bridge_says_not_that_a_port_is_open(dev: Deployment) -> None:
    check = container(dev)["HealthCheck"]
    assert "127.0.0.1:8080/health" in check["Command"][-1]
    assert "status" in check["Command"][-1]
    assert check["StartPeriod"] >= 120, "OpenClaw needs up to 120 s"


def test_no_port_is_published(dev: Deployment) -> None:
    assert "PortMappings" not in container(dev)


def test_the_environment_holds_names_only(dev: Deployment) -> None:
    environment = {entry["Name"]: entry["Value"] for entry in container(dev)["Environment"]}
    options = {"WAKE_FUNCTION", "WAKE_ROLE", "AGENT_CPU", "IPV6_ONLY", "AWS_USE_DUALSTACK_ENDPOINT"}
    assert set(environment) == {"STAGE", "PARAMETER_PATH", "DATA_BUCKET", "AWS_REGION", "BEDROCK"} | options
    assert "Secrets" not in container(dev), "ECS would put them into the environment that an agent could print"


def test_the_image_is_named_by_its_content(dev: Deployment) -> None:
    tagged = Deployment("dev", parameters={"ImageTag": "0123456789abcdef"})
    assert container(tagged)["Image"].endswith(":0123456789abcdef")


def test_logs_are_kept_two_weeks_and_never_block(dev: Deployment) -> None:
    assert dev.one("compute", "AWS::Logs::LogGroup")["RetentionInDays"] == 14
    assert container(dev)["LogConfiguration"]["Options"]["mode"] == "non-blocking"


def test_only_ecs_and_the_scheduler_of_this_account_take_the_roles(dev: Deployment) -> None:
    for _, role in dev.resources("compute", "AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler" if role["RoleName"].endswith("-wake") else "ecs-tasks"
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == dev.account


def test_bedrock_is_off_unless_asked_for(dev: Deployment) -> None:
    assert "bedrock" not in json.dumps([p for _, p in dev.resources("compute", "AWS::IAM::Policy")])
    asked = Deployment("dev", parameters={"Bedrock": "true"})
    assert "bedrock:InvokeModel" in json.dumps([p for _, p in asked.resources("compute", "AWS::IAM::Policy")])


def test_a_task_reaches_workspaces_and_attachments_only(dev: Deployment) -> None:
    """Not the releases that the functions run: an agent cannot change what is deployed."""
    text = json.dumps([p for _, p in dev.resources("compute", "AWS::IAM::Policy")])
    assert "releases" not in text
    assert "data-123456789012-us-east-1/workspaces/*" in text
    assert set(re.findall(r'"(iam:\w+)"', text)) <= {"iam:PassRole", "iam:PassedToService"}
    assert re.findall(r"role/[a-z-]+", text) == ["role/serverless-openclaw-dev-wake"], "and that only to the scheduler"
    assert "ecs:" not in text
