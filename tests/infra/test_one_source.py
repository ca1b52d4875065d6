"""The local system boots from the synthesized tables, user pool and task definition."""

from pathlib import Path

from cdk.synthesized import Deployment
from local.resources import CLUSTER, REGION, STAGE, Builder


def test_the_local_system_is_made_of_the_templates(moto_url: str, tmp_path: Path) -> None:
    """Made by the code that `make run` uses, then read back from the stand-in."""
    builder, expected = Builder(moto_url, tmp_path), Deployment(STAGE, REGION)
    made = builder.build({"DATA_BUCKET": "local-bucket"})

    dynamodb = builder.client("dynamodb")
    assert set(dynamodb.list_tables()["TableNames"]) == {table["TableName"] for table in expected.tables()}
    for table in expected.tables():
        found = dynamodb.describe_table(TableName=table["TableName"])["Table"]
        assert found["KeySchema"] == table["KeySchema"]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            built = {index["IndexName"]: index["KeySchema"] for index in found.get(kind, [])}
            assert built == {index["IndexName"]: index["KeySchema"] for index in table.get(kind, [])}
        ttl = dynamodb.describe_time_to_live(TableName=table["TableName"])["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expiresAt")

    cognito = builder.client("cognito-idp")
    pool = cognito.describe_user_pool(UserPoolId=made.pool_id)["UserPool"]
    assert pool["Policies"]["PasswordPolicy"] == expected.user_pool()["Policies"]["PasswordPolicy"]
    assert pool["MfaConfiguration"] == "OPTIONAL"
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False, "here everyone may register"
    client = cognito.describe_user_pool_client(UserPoolId=made.pool_id, ClientId=made.client_id)["UserPoolClient"]
    assert client["ExplicitAuthFlows"] == expected.user_pool_client()["ExplicitAuthFlows"]

    ecs = builder.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=CLUSTER)["taskDefinition"]
    wanted = expected.task_definition()
    assert (task["cpu"], task["memory"], task["family"]) == (wanted["cpu"], wanted["memory"], wanted["family"])
    (container,), (deployed,) = task["containerDefinitions"], wanted["containerDefinitions"]
    for name in ("name", "memory", "healthCheck", "readonlyRootFilesystem", "stopTimeout", "mountPoints"):
        assert container[name] == deployed[name], name
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert environment["DATA_BUCKET"] == "local-bucket"
    assert environment["PARAMETER_PATH"] == f"/serverless-openclaw/{STAGE}/"
    assert not [value for value in environment.values() if value.startswith("<")], "an import is left open"


def test_there_is_no_second_list() -> None:
    """The local builder names no key, index or task size of its own."""
    folder = Path(__file__).resolve().parent.parent.parent / "local"
    text = (folder / "resources.py").read_text() + (folder / "tables.py").read_text()
    for word in ("KeySchema", "create_table(Table", "waiting-index", "userId", '"2048"', "ExplicitAuthFlows"):
        assert word not in text, word
