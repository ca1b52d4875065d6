"""What DynamoDB says of the requests that our code makes or must never make, and which stand-in says otherwise.

Each answer is DynamoDB's, from its API reference and its developer guide. A stand-in that differs is listed with what
it says instead: the test fails when that changes, so docs/local.md stays true.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.judges import DYNALITE, MINISTACK, MOTO, TABLE_SERVERS, Judges
from tests.support.raw_table import Table, key, number, text

INVALID, REFUSED, CANCELED = "ValidationException", "ConditionalCheckFailedException", "TransactionCanceledException"
# A page of a query ends at a megabyte; five rows of this size are more.
LARGE = "x" * 300_000


def said(call: Callable[[], Any]) -> Any:
    """The error's code, for a cancelled transaction each item's; else what the call gives."""
    try:
        return call()
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return ",".join(reason["Code"] for reason in reasons) or error.response["Error"]["Code"]


@pytest.fixture(scope="module", params=TABLE_SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def client(server: str, cloud: str, judges: Judges) -> Iterator[Any]:
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    once = Config(retries={"max_attempts": 0}, parameter_validation=False)
    url = cloud if server == MOTO else judges.url(server)
    client = session.create_client("dynamodb", region_name="us-east-1", endpoint_url=url, config=once)
    yield client
    client.close()


@pytest.fixture
def table(client: Any) -> Table:
    return Table(client)


def update_of_a_reserved_word(table: Table) -> Any:
    return table.update("a", "SET status = :v", text("x"))


def two_changes_of_one_attribute(table: Table) -> Any:
    return table.update("a", "SET text1 = :v REMOVE text1", text("x")).get("Attributes")


def an_empty_key_of_an_index_by_an_update(table: Table) -> Any:
    return table.update("a", "SET kind = :v", text("")).get("Attributes")


def an_index_key_of_the_wrong_type(table: Table) -> Any:
    return sorted(name for name in table.put("a", kind=number(1)) if name != "ResponseMetadata")


def an_addition_to_a_text(table: Table) -> Any:
    table.put("a", n=text("x"))
    return table.update("a", "ADD n :v", number(1))


def a_sum_with_nothing(table: Table) -> Any:
    return table.update("a", "SET n = n + :v", number(1))


def less_than_something_that_is_not_there(table: Table) -> Any:
    return table.update("a", "SET n = :v", number(5), "n < :v")


def unequal_to_something_that_is_not_there(table: Table) -> Any:
    table.update("a", "SET n = :v", number(5), "n <> :v")
    return table.get("a")["n"]


def a_comparison_of_text_with_a_number(table: Table) -> Any:
    table.put("a", n=text("1"))
    return table.update("a", "SET n = :v", number(5), "n < :v")


def a_sum_of_38_digits(table: Table) -> Any:
    table.put("a", n=number("9" * 37 + "1"))
    return table.update("a", "ADD n :v", number(1))["Attributes"]["n"]["N"]


def a_number_of_39_digits(table: Table) -> Any:
    table.put("a", n=number("1" * 39))
    return "taken"


def an_item_over_400_kb(table: Table) -> Any:
    return table.put("a", content=text("x" * 409_600))


def a_page_that_ends_with_the_last_row(table: Table) -> Any:
    for row in "abc":
        table.put(row)
    found = table.query(Limit=3)
    return found["Count"], "LastEvaluatedKey" in found


def a_filter_after_the_limit(table: Table) -> Any:
    for row in "abc":
        table.put(row, n=text(row))
    found = table.query(Limit=2, FilterExpression="n = :n", values={":n": text("c")})
    return found["Count"], found["LastEvaluatedKey"]["id"]["S"]


def rows_over_a_megabyte(table: Table) -> Any:
    for row in "abcde":
        table.put(row, content=text(LARGE))
    return "LastEvaluatedKey" in table.query()


def bounds_in_the_wrong_order(table: Table) -> Any:
    return table.query("id BETWEEN :b AND :a", values={":a": text("a"), ":b": text("b")})["Count"]


def a_prefix_that_is_empty(table: Table) -> Any:
    return table.query("begins_with(id, :p)", values={":p": text("")})["Count"]


def a_limit_of_nothing(table: Table) -> Any:
    table.put("a")
    return table.query(Limit=0)


def texts_in_the_order_of_their_bytes(table: Table) -> Any:
    for row in ("\uffff", "\U0001f600", "é", "a", "Z"):
        table.put(row)
    return [row["id"]["S"] for row in table.query()["Items"]]


def a_batch_of_26(table: Table) -> Any:
    return sorted(table.delete_many(26)["UnprocessedItems"])


def a_transaction_on_one_row_twice(table: Table) -> Any:
    step = {"Update": table.step("a", "SET n = :v", number(1))}
    return table.transact(step, step)


def a_transaction_of_101(table: Table) -> Any:
    return table.transact(*({"Update": table.step(str(n), "SET n = :v", number(1))} for n in range(101)))


def the_reasons_of_a_cancelled_transaction(table: Table) -> Any:
    table.put("there")
    new = {"Update": table.step("new", "SET n = :v", number(1))}
    taken = {"Update": table.step("there", "SET n = :v", number(1), "attribute_not_exists(id)")}
    answer = said(lambda: table.transact(new, taken, table.check("none", "attribute_exists(id)")))
    return answer, table.get("new"), table.get("there") == key("there")


def a_check_in_a_transaction(table: Table) -> Any:
    table.transact(table.check("a", "attribute_not_exists(id)"), {"Update": table.step("b", "SET n = :v", number(1))})
    return table.get("a"), table.get("b")["n"]


def a_transaction_that_meets_a_text(table: Table) -> Any:
    table.put("a", n=text("x"))
    return table.transact({"Update": table.step("a", "ADD n :v", number(1))})


def a_transaction_with_the_same_token_again(table: Table) -> Any:
    step, token = {"Update": table.step("a", "ADD n :v", number(1))}, uuid.uuid4().hex
    for _ in range(2):
        table.transact(step, ClientRequestToken=token)
    return table.get("a")["n"]["N"]


NINES = "9" * 37 + "2"
# What DynamoDB answers.
DOCUMENTED: dict[Callable[[Table], Any], Any] = {
    update_of_a_reserved_word: INVALID,
    two_changes_of_one_attribute: INVALID,
    an_empty_key_of_an_index_by_an_update: INVALID,
    an_index_key_of_the_wrong_type: INVALID,
    an_addition_to_a_text: INVALID,
    a_sum_with_nothing: INVALID,
    less_than_something_that_is_not_there: REFUSED,
    unequal_to_something_that_is_not_there: number(5),
    a_comparison_of_text_with_a_number: REFUSED,
    a_sum_of_38_digits: NINES,
    a_number_of_39_digits: INVALID,
    an_item_over_400_kb: INVALID,
    a_page_that_ends_with_the_last_row: (3, True),
    a_filter_after_the_limit: (0, "b"),
    rows_over_a_megabyte: True,
    bounds_in_the_wrong_order: INVALID,
    a_prefix_that_is_empty: INVALID,
    a_limit_of_nothing: INVALID,
    texts_in_the_order_of_their_bytes: ["Z", "a", "é", "\uffff", "\U0001f600"],
    a_batch_of_26: INVALID,
    a_transaction_on_one_row_twice: INVALID,
    a_transaction_of_101: INVALID,
    the_reasons_of_a_cancelled_transaction: ("None,ConditionalCheckFailed,ConditionalCheckFailed", {}, True),
    a_check_in_a_transaction: ({}, number(1)),
    a_transaction_that_meets_a_text: "ValidationError",
    a_transaction_with_the_same_token_again: "1",
}
# What a stand-in answers instead.
DIFFERENT: dict[Callable[[Table], Any], dict[str, Any]] = {
    two_changes_of_one_attribute: {MINISTACK: None},
    an_empty_key_of_an_index_by_an_update: {DYNALITE: {"kind": text("")}},
    an_index_key_of_the_wrong_type: {MOTO: []},
    a_comparison_of_text_with_a_number: {MOTO: "500"},
    a_sum_of_38_digits: {MINISTACK: "1" + "0" * 38},
    a_number_of_39_digits: {MOTO: "taken"},
    a_page_that_ends_with_the_last_row: {MOTO: (3, False)},
    bounds_in_the_wrong_order: {MOTO: 0},
    a_prefix_that_is_empty: {DYNALITE: 0},
    a_limit_of_nothing: {MOTO: "500"},
    a_batch_of_26: {MOTO: []},
    a_transaction_that_meets_a_text: {MOTO: INVALID},
    a_transaction_with_the_same_token_again: {MOTO: "2"},
}


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case.__name__)
def test_answers_as_dynamodb_does(table: Table, server: str, case: Callable[[Table], Any]) -> None:
    assert said(lambda: case(table)) == DIFFERENT.get(case, {}).get(server, DOCUMENTED[case])
