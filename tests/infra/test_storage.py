"""The five tables, the data bucket and the image repository (requirements A7, C3, F)."""

import json
from typing import Any

import pytest
from pynamodb.models import Model

from cdk.synthesized import Deployment
from chalicelib.messages.files import KEPT_DAYS, KEPT_TAG
from chalicelib.platform.models import TABLES

Json = dict[str, Any]
NOUNS = {"Conversations", "Settings", "TaskState", "Connections", "PendingMessages"}


def tables(dev: Deployment) -> dict[str, Json]:
    return {
        properties["TableName"].rsplit("-", 1)[-1]: properties
        for _, properties in dev.resources("storage", "AWS::DynamoDB::Table")
    }


def test_there_are_the_five_tables(dev: Deployment) -> None:
    assert set(tables(dev)) == NOUNS
    assert {table["TableName"] for table in tables(dev).values()} == {f"serverless-openclaw-dev-{n}" for n in NOUNS}


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_ttl_is_on(dev: Deployment, noun: str) -> None:
    assert tables(dev)[noun]["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def hash_first(keys: list[Json]) -> list[Json]:
    """PynamoDB lists them by name."""
    return sorted(keys, key=lambda entry: str(entry["KeyType"]))


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_the_code_and_the_template_agree(dev: Deployment, model: type[Model]) -> None:
    """Keys, indexes, projections and TTL are those of the PynamoDB model."""
    noun = model.Meta.table_name.rsplit("-", 1)[-1]
    found: Json = tables(dev)[noun]
    schema: Json = dict(model._get_schema())
    keys = {entry["AttributeName"]: entry["KeyType"] for entry in found["KeySchema"]}
    assert keys == {entry["AttributeName"]: entry["KeyType"] for entry in schema["key_schema"]}
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in found["AttributeDefinitions"]}
    assert types == {entry["AttributeName"]: entry["AttributeType"] for entry in schema["attribute_definitions"]}
    for ours, theirs in (
        ("GlobalSecondaryIndexes", "global_secondary_indexes"),
        ("LocalSecondaryIndexes", "local_secondary_indexes"),
    ):
        built = {i["IndexName"]: (hash_first(i["KeySchema"]), i["Projection"]) for i in found.get(ours, [])}
        known = {i["index_name"]: (hash_first(i["key_schema"]), i["projection"]) for i in schema.get(theirs) or []}
        assert built == known
    if "expires_at" in model.get_attributes():
        assert model.get_attributes()["expires_at"].attr_name == found["TimeToLiveSpecification"]["AttributeName"]


def test_the_connections_index_is_by_user(dev: Deployment) -> None:
    (index,) = tables(dev)["Connections"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "userId-index"


def test_what_people_wrote_can_be_brought_back(dev: Deployment) -> None:
    backed_up = {
        noun
        for noun, table in tables(dev).items()
        if table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    }
    assert backed_up == {"Conversations", "Settings"}


def test_data_outlives_its_stack(templates: dict[str, Json]) -> None:
    """Kept when the stack goes or replaces it, but not when the first creation fails."""
    kept = {
        name
        for stack in ("storage", "auth")
        for name, resource in templates[stack]["Resources"].items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
        and resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool")
    }
    assert len(kept) == 7
    for stack in ("storage", "auth"):
        for name in kept & set(templates[stack]["Resources"]):
            assert templates[stack]["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_the_data_bucket_is_versioned_encrypted_and_private(dev: Deployment) -> None:
    bucket = dev.one("storage", "AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_data_bucket_refuses_plain_http(dev: Deployment) -> None:
    (statement,) = dev.one("storage", "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_old_versions_and_attachments_go(dev: Deployment) -> None:
    rules = dev.one("storage", "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") == 30 for rule in rules)
    assert any(rule.get("Prefix") == "attachments/" and rule["ExpirationInDays"] == 7 for rule in rules)
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert not any(rule.get("Prefix", "").startswith("workspaces") for rule in rules), "a workspace never expires"


def test_files_of_the_agent_go_by_their_tag_only(dev: Deployment) -> None:
    """As long as the user keeps conversations; without a tag for ever."""
    rules = dev.one("storage", "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    ours = [rule for rule in rules if rule.get("Prefix") == "files/"]
    assert {rule["ExpirationInDays"] for rule in ours} == set(KEPT_DAYS)
    assert all(rule["TagFilters"] == [{"Key": KEPT_TAG, "Value": str(rule["ExpirationInDays"])}] for rule in ours)


def test_a_release_does_not_expire(dev: Deployment) -> None:
    """CloudFormation goes back to the code of the release before, which may be years old."""
    rules = dev.one("storage", "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    passing = {"attachments/", "exports/", "imports/", "files/"}
    assert {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule} == passing


def test_the_image_repository_scans_and_cleans_up(dev: Deployment) -> None:
    """By age what has no tag; never by count, which would take the image that tasks are started from."""
    repository = dev.one("storage", "AWS::ECR::Repository")
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countType"] == "sinceImagePushed"
    assert rule["selection"]["tagStatus"] == "untagged"
