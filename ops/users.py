"""Invites a user: `python -m ops.users --stage dev you@example.com`. Cognito mails the first password.

With `--owner` they may also invite and remove people and set limits, on the page (People). `make deploy` does so for
EMAIL, each time.
"""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cdk.synthesized import Deployment
from chalicelib.people.identity import OWNER
from ops.cloud import Cloud, Problem, connect


class Invitation(StrEnum):
    """The result of an invitation."""

    SENT = "is invited by e-mail"
    AGAIN = "is invited by e-mail once more"
    WAITING = "was invited before and has not signed in yet"
    KNOWN = "has an account"


def invite(cloud: Cloud, email: str, renew: bool = False) -> Invitation:
    """Invite somebody who has no account. Invite again if the invitation expired, or with `renew`."""
    cognito = cloud.client("cognito-idp")
    who = {"UserPoolId": cloud.parameters("auth/")["user-pool-id"], "Username": email}
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    try:
        cognito.admin_create_user(**who, DesiredDeliveryMediums=["EMAIL"], UserAttributes=attributes)
    except cognito.exceptions.UsernameExistsException:
        user = cognito.admin_get_user(**who)
    else:
        return Invitation.SENT
    if user["UserStatus"] != "FORCE_CHANGE_PASSWORD":
        return Invitation.KNOWN
    if not renew and not _ran_out(user):
        return Invitation.WAITING
    cognito.admin_create_user(**who, DesiredDeliveryMediums=["EMAIL"], MessageAction="RESEND")
    return Invitation.AGAIN


def make_owner(cloud: Cloud, email: str) -> None:
    """Put an account into the owners' group. It counts from the next sign-in, or within an hour. Safe to repeat."""
    pool = cloud.parameters("auth/")["user-pool-id"]
    cloud.client("cognito-idp").admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=OWNER)


def _ran_out(user: Any) -> bool:
    """Whether the mailed password has expired. It is as old as the last change of the account."""
    days = Deployment("any").user_pool()["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"]
    return bool(user["UserLastModifiedDate"] < datetime.now(UTC) - timedelta(days=days))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--owner", action="store_true", help="they may invite and remove people, too")
    parser.add_argument("email")
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
        said = invite(cloud, options.email, renew=True)
        if options.owner:
            make_owner(cloud, options.email)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{options.email} {said}" + (", and is an owner" if options.owner else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
