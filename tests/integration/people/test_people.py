"""The owner's room on real tables and the stand-in's user pool."""

import uuid
from typing import Any

import pytest
import requests

from chalicelib.agents import removed
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.people.pool import Pool
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import Spending
from chalicelib.platform import aws
from tests.support.people import ONE, call, live

pytestmark = pytest.mark.usefixtures("cloud")


def test_nobody_else_gets_in(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    """Each route, with a token that has not the group: refused with a code, and nothing has happened."""
    user, email = friend
    asked: list[tuple[str, str, Any, str]] = [
        ("GET", "/people", None, ""),
        ("POST", "/people", {"email": "new@example.com"}, ""),
        ("PUT", f"/people/{user}", {"capUsd": 1000}, ONE),
        ("DELETE", f"/people/{owner}", {"email": email}, ONE),
    ]
    for method, path, body, resource in asked:
        status, told = call(user, method, path, body, resource)
        assert (status, told["code"]) == (403, "OWNER_ONLY"), (method, path)
    assert call("bad", "GET", "/people")[0] == 401
    assert Spending().limits(user).cap_usd is None
    assert not removed.is_removed(owner)


def test_the_list_has_states_and_sums_and_nothing_else(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    user, email = friend
    live(user)
    status, told = call(f"{owner}!", "GET", "/people")
    mine = {person["id"]: person for person in told["people"]}
    assert status == 200
    assert mine[user] | {"createdAt": 0, "month": ""} == {
        "id": user,
        "email": email,
        "createdAt": 0,
        "state": "invited",
        "owner": False,
        "you": False,
        "agent": "Running",
        "month": "",
        "usd": 1.25,
        "complete": True,
        "limitUsd": 3,
        "capUsd": None,
        "highestUsd": 20,
    }
    assert (mine[owner]["owner"], mine[owner]["you"], mine[owner]["agent"]) == (True, True, "Idle")


def test_an_invitation_and_a_second_one(routes: Dispatch, owner: str, pool: str) -> None:
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    assert call(f"{owner}!", "POST", "/people", {"email": f" {email} "}) == (201, {"email": email, "again": False})
    assert call(f"{owner}!", "POST", "/people", {"email": email}) == (200, {"email": email, "again": True})
    secret = {"Password": "Long-enough-12", "Permanent": True}
    aws.client("cognito-idp").admin_set_user_password(UserPoolId=pool, Username=email, **secret)
    for wanted, code in ((email, "HAS_ACCOUNT"), ("no address", "BAD_EMAIL"), (7, "BAD_EMAIL")):
        assert call(f"{owner}!", "POST", "/people", {"email": wanted})[1]["code"] == code


def test_what_the_stand_in_has_that_moto_has_not(pool: str, cloud: str) -> None:
    """An invitation is mailed, a second one is for the same account, and a closed account gets no token."""
    cognito, email, secret = aws.client("cognito-idp"), f"{uuid.uuid4().hex[:8]}@example.com", "Long-enough-12"
    Pool(pool).invite(email)
    known = cognito.admin_get_user(UserPoolId=pool, Username=email)["Username"]
    Pool(pool).invite(email)
    assert cognito.admin_get_user(UserPoolId=pool, Username=email)["Username"] == known
    letters = [one for one in requests.get(f"{cloud}/_local/mail", timeout=5).json() if one["to"] == email]
    assert [letter["purpose"] for letter in letters] == ["invitation", "invitation"]
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=flows)
    client = made["UserPoolClient"]["ClientId"]
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=secret, Permanent=True)
    signed_in = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": secret},
    )
    renewal = {"REFRESH_TOKEN": signed_in["AuthenticationResult"]["RefreshToken"]}
    ask = {"ClientId": client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": renewal}
    assert cognito.initiate_auth(**ask)["AuthenticationResult"]["IdToken"]
    person = Pool(pool).find(known)
    assert person is not None
    for end in (Pool(pool).close, Pool(pool).delete):
        end(person)
        with pytest.raises(cognito.exceptions.NotAuthorizedException):
            cognito.initiate_auth(**ask)


def test_the_owners_limit_is_a_ceiling(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    """Without a choice of theirs it holds as it is; no choice gets above it."""
    user, _ = friend
    status, told = call(f"{owner}!", "PUT", f"/people/{user}", {"capUsd": 8}, ONE)
    assert (status, told["capUsd"], told["limitUsd"]) == (200, 8, 8)
    assert call(user, "PUT", "/settings", {"budgetUsd": 500})[0] == 200
    limits = Spending().limits(user)
    assert (limits.of(Choice(budget_usd=500)), limits.of(Choice(budget_usd=2)), limits.of(Choice())) == (8, 2, 8)
    assert call(user, "GET", "/status")[1]["cost"]["limitUsd"] == 8
    assert call(f"{owner}!", "PUT", f"/people/{user}", {"capUsd": None}, ONE)[1]["limitUsd"] == 20
    for wrong in ({"capUsd": -1}, {"capUsd": True}, {"capUsd": "1"}, {}):
        assert call(f"{owner}!", "PUT", f"/people/{user}", wrong, ONE)[1]["code"] == "BAD_FIELD"
    assert call(f"{owner}!", "PUT", "/people/nobody", {"capUsd": 1}, ONE)[1]["code"] == "NOT_FOUND"


def test_who_cannot_be_removed(routes: Dispatch, owner: str, friend: tuple[str, str], pool: str) -> None:
    user, email = friend
    cognito = aws.client("cognito-idp")
    mine = cognito.admin_get_user(UserPoolId=pool, Username=owner)["UserAttributes"]
    own = next(one["Value"] for one in mine if one["Name"] == "email")

    def refused(token: str, who: str, said: str) -> str:
        status, told = call(token, "DELETE", f"/people/{who}", {"email": said}, ONE)
        assert status in (400, 403, 409), told
        return str(told["code"])

    assert refused(f"{owner}!", owner, own) == "OWNER_SELF"
    assert refused(f"{owner}!", user, "other@example.com") == "EMAIL_DIFFERS"
    assert refused(f"{user}!", owner, own) == "OWNER_ONLY", "the token is older than the group"
    assert not removed.is_removed(user)
    assert cognito.admin_get_user(UserPoolId=pool, Username=email)["Enabled"]
