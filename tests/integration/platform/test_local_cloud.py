"""The AWS stand-in lives as long as a person's history: it neither keeps what it showed nor loses what it undid."""

import time
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import requests
from botocore.exceptions import ClientError

from local.resources import REGION
from tests.support.client import eventually
from tests.support.cloud import Cloud

TABLE, ROWS = "Rows", 200


@pytest.fixture(scope="module")
def dynamodb(own: Cloud) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    client = session.create_client("dynamodb", region_name=REGION, endpoint_url=own.url)
    names = ("user", "HASH"), ("id", "RANGE")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
    )
    for number in range(ROWS):
        client.put_item(TableName=TABLE, Item=row(f"{number:04}"))
    return client


def row(key: str, text: str = "a message of some length " * 20) -> dict[str, Any]:
    return {"user": {"S": "u"}, "id": {"S": key}, "text": {"S": text}, "route": {"M": {"chat": {"N": "1"}}}}


def rows(dynamodb: Any) -> list[dict[str, Any]]:
    mine = {"KeyConditionExpression": "#u = :u", "ExpressionAttributeNames": {"#u": "user"}}
    answer = dynamodb.query(TableName=TABLE, ExpressionAttributeValues={":u": {"S": "u"}}, **mine)
    items: list[dict[str, Any]] = answer["Items"]
    return items


def resident(pid: int) -> float:
    """MB."""
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def transact(dynamodb: Any, *operations: dict[str, Any]) -> None:
    dynamodb.transact_write_items(TransactItems=[{kind: op} for each in operations for kind, op in each.items()])


def update(key: str, condition: str = "attribute_exists(#t)") -> dict[str, Any]:
    operation = {"TableName": TABLE, "Key": {"user": {"S": "u"}, "id": {"S": key}}, "ConditionExpression": condition}
    change = {"UpdateExpression": "SET #t = :new", "ExpressionAttributeValues": {":new": {"S": "changed"}}}
    return {"Update": operation | change | {"ExpressionAttributeNames": {"#t": "text"}}}


def test_what_is_read_and_written_again_is_not_kept(own: Cloud, dynamodb: Any) -> None:
    """30 readings of all rows and 30 transactions: moto as it comes would hold 60 copies of the table."""
    count = len(rows(dynamodb))
    assert count >= ROWS

    def use(times: int) -> None:
        for _ in range(times):
            assert len(rows(dynamodb)) == count
            transact(dynamodb, update("0000"), update("0001"))

    use(3)
    before = resident(own.pid)
    use(30)
    assert resident(own.pid) - before < 15


def test_a_write_is_on_the_disk_soon_and_a_look_writes_nothing(own: Cloud, dynamodb: Any) -> None:
    requests.post(f"{own.url}/_local/save", timeout=10).raise_for_status()  # nothing is due from before
    (file,) = own.data.glob("cloud-*.pickle")
    before = file.stat().st_mtime_ns
    transact(dynamodb, update("0008"))
    eventually(lambda: file.stat().st_mtime_ns > before, 10)
    written = file.stat().st_mtime_ns
    for _ in range(3):
        rows(dynamodb)
        time.sleep(1)  # longer than from one snapshot to the next
    assert file.stat().st_mtime_ns == written


def test_a_transaction_that_is_cancelled_changes_nothing(dynamodb: Any) -> None:
    before = rows(dynamodb)
    gone = {"TableName": TABLE, "Key": {"user": {"S": "u"}, "id": {"S": "0003"}}}
    new, over = ({"Put": {"TableName": TABLE, "Item": row(key, "new")}} for key in ("new", "0005"))
    with pytest.raises(ClientError) as raised:
        transact(dynamodb, update("0002"), {"Delete": gone}, new, over, update("0004", "attribute_not_exists(#t)"))
    reasons = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "None", "ConditionalCheckFailed"]
    assert rows(dynamodb) == before


def test_a_transaction_that_names_a_row_twice_changes_nothing(dynamodb: Any) -> None:
    before = rows(dynamodb)
    with pytest.raises(ClientError, match="multiple operations"):
        transact(dynamodb, update("0006"), update("0006"))
    assert rows(dynamodb) == before


def test_a_transaction_that_goes_through_changes_all(dynamodb: Any) -> None:
    transact(dynamodb, update("0007"), {"Put": {"TableName": TABLE, "Item": row("more", "more")}})
    texts = {item["id"]["S"]: item["text"]["S"] for item in rows(dynamodb)}
    assert (texts["0007"], texts["more"]) == ("changed", "more")
