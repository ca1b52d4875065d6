"""The user pool, for its owners: who is in it, inviting somebody, and the end of an account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.people.identity import OWNER
from chalicelib.platform import aws
from chalicelib.platform.clock import SECOND
from chalicelib.wire.protocol import ProtocolError

PAGE = 50  # accounts; Cognito lists at most 60
MAX_EMAIL = 128  # Cognito's limit on a user name
INVITED = "FORCE_CHANGE_PASSWORD"
STATES = {INVITED: "invited", "UNCONFIRMED": "unconfirmed"}
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f.]+")


@dataclass(frozen=True)
class Person:
    """An account; `name` is the pool's own for it, `created_at` is in ms."""

    user_id: str
    name: str
    email: str
    created_at: int
    state: str  # confirmed, invited, unconfirmed
    enabled: bool = True


class Pool:
    """Raises ProtocolError for what is refused."""

    def __init__(self, pool_id: str) -> None:
        self._pool_id = pool_id

    @property
    def _cognito(self) -> Any:
        return aws.client("cognito-idp")

    def page(self, after: str | None = None) -> tuple[list[Person], str | None]:
        """Some accounts, and where the next ones begin."""
        more = {"PaginationToken": after} if after else {}
        try:
            answer = self._cognito.list_users(UserPoolId=self._pool_id, Limit=PAGE, **more)
        except self._cognito.exceptions.InvalidParameterException:
            raise ProtocolError("BAD_FIELD", "after must be what the page before has named") from None
        return [_person(entry) for entry in answer["Users"]], answer.get("PaginationToken")

    def find(self, user_id: str) -> Person | None:
        if not _ID.fullmatch(user_id):
            return None
        answer = self._cognito.list_users(UserPoolId=self._pool_id, Filter=f'sub = "{user_id}"', Limit=1)
        return _person(answer["Users"][0]) if answer["Users"] else None

    def owners(self) -> set[str]:
        """The ids of those in the owners' group now."""
        pages = self._cognito.get_paginator("list_users_in_group").paginate(UserPoolId=self._pool_id, GroupName=OWNER)
        return {_person(entry).user_id for page in pages for entry in page["Users"]}

    def invite(self, email: str) -> bool:
        """Cognito mails a first password. False: it was invited before, and is mailed a new one."""
        errors, who = self._cognito.exceptions, {"UserPoolId": self._pool_id, "Username": email}
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        try:
            self._cognito.admin_create_user(**who, DesiredDeliveryMediums=["EMAIL"], UserAttributes=attributes)
            return True
        except errors.UsernameExistsException:
            return self._invite_again(email, who)
        except errors.InvalidParameterException:
            raise ProtocolError("BAD_EMAIL", "Cognito does not accept this address.") from None
        except (errors.CodeDeliveryFailureException, errors.LimitExceededException):
            raise ProtocolError("MAIL_FAILED", "The e-mail could not be sent now. Invite again later.") from None

    def _invite_again(self, email: str, who: Mapping[str, str]) -> bool:
        known = self._cognito.admin_get_user(**who)
        if not known["Enabled"]:
            raise ProtocolError("HAS_ACCOUNT", f"{email} has an account that is closed or being removed.")
        if known["UserStatus"] != INVITED:
            raise ProtocolError("HAS_ACCOUNT", f"{email} has an account already.")
        self._cognito.admin_create_user(**who, DesiredDeliveryMediums=["EMAIL"], MessageAction="RESEND")
        return False

    def close(self, person: Person) -> None:
        """No new sign-in, and no new token for those who are signed in. Safe to repeat."""
        self._cognito.admin_disable_user(UserPoolId=self._pool_id, Username=person.name)
        self._cognito.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=person.name)

    def delete(self, person: Person) -> None:
        self._cognito.admin_delete_user(UserPoolId=self._pool_id, Username=person.name)


def email_of(body: Mapping[str, Any]) -> str:
    """The address that a request names. Raises ProtocolError BAD_EMAIL."""
    email = body.get("email")
    if not isinstance(email, str) or len(email.strip()) > MAX_EMAIL or not _EMAIL.fullmatch(email.strip()):
        raise ProtocolError("BAD_EMAIL", "email must be an e-mail address")
    return email.strip()


def _person(entry: Mapping[str, Any]) -> Person:
    known = {one["Name"]: one["Value"] for one in entry["Attributes"]}
    created = int(entry["UserCreateDate"].timestamp() * SECOND)
    state = STATES.get(entry["UserStatus"], "confirmed")
    name = str(entry["Username"])
    return Person(known.get("sub", name), name, known.get("email", ""), created, state, bool(entry["Enabled"]))
