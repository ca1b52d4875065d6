"""Cognito's e-mailed codes as the local stand-in plays them: by calls, without a browser."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import Stack
from tests.e2e.people import User, address, mailed_code, new_user, not_the_code, password
from tests.support.client import cognito


class Door:
    """The calls of somebody who is not signed in."""

    def __init__(self, stack: Stack) -> None:
        assert stack.resources is not None
        self._client = cognito(stack)
        self._id = stack.resources.client_id

    def __call__(self, operation: str, user: User, **fields: Any) -> dict[str, Any]:
        call = getattr(self._client, operation)
        answer: dict[str, Any] = call(ClientId=self._id, Username=user.email, **fields)
        return answer

    def refused(self, operation: str, user: User, **fields: Any) -> str:
        """The name of the error."""
        with pytest.raises(ClientError) as raised:
            self(operation, user, **fields)
        return str(raised.value.response["Error"]["Code"])


@pytest.fixture
def door(stack: Stack) -> Door:
    return Door(stack)


def test_a_code_confirms_once(door: Door, stack: Stack) -> None:
    user = User(address(), password())
    sent = door("sign_up", user, Password=user.password, UserAttributes=[{"Name": "email", "Value": user.email}])
    assert sent["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    code = mailed_code(stack, user.email)
    assert door.refused("confirm_sign_up", user, ConfirmationCode=not_the_code(code)) == "CodeMismatchException"
    again = door("resend_confirmation_code", user)["CodeDeliveryDetails"]
    assert again == {"Destination": f"{user.email[0]}***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    newer = mailed_code(stack, user.email, after=code)
    assert door.refused("confirm_sign_up", user, ConfirmationCode=code) == "CodeMismatchException"
    door("confirm_sign_up", user, ConfirmationCode=newer)
    assert door.refused("confirm_sign_up", user, ConfirmationCode=newer) == "NotAuthorizedException"
    assert door.refused("resend_confirmation_code", user) == "InvalidParameterException"


def test_a_code_replaces_a_password_once(door: Door, stack: Stack) -> None:
    user, new = new_user(stack), password()
    early = {"ConfirmationCode": "123456", "Password": new}
    assert door.refused("confirm_forgot_password", user, **early) == "ExpiredCodeException"
    door("forgot_password", user)
    code = mailed_code(stack, user.email)
    wrong = {"ConfirmationCode": not_the_code(code), "Password": new}
    assert door.refused("confirm_forgot_password", user, **wrong) == "CodeMismatchException"
    weak = {"ConfirmationCode": code, "Password": "short"}
    assert door.refused("confirm_forgot_password", user, **weak) == "InvalidPasswordException"
    door("confirm_forgot_password", user, ConfirmationCode=code, Password=new)
    used = {"ConfirmationCode": code, "Password": new}
    assert door.refused("confirm_forgot_password", user, **used) == "ExpiredCodeException"


def test_nobody_learns_whether_somebody_has_an_account(door: Door, stack: Stack) -> None:
    """As the deployed pool is set up: a stranger gets the same answers, and no e-mail."""
    stranger = User(address(), password())
    assert door("forgot_password", stranger)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert door("resend_confirmation_code", stranger)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert door.refused("confirm_sign_up", stranger, ConfirmationCode="123456") == "ExpiredCodeException"
    reset = {"ConfirmationCode": "123456", "Password": stranger.password}
    assert door.refused("confirm_forgot_password", stranger, **reset) == "ExpiredCodeException"
    assert stranger.email not in [letter["to"] for letter in stack.mail()]
