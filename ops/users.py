"""Invites a user: `python -m ops.users --stage dev you@example.com`. Cognito mails the first password."""

import argparse
import sys

from ops.cloud import Cloud, Problem, connect


def invite(cloud: Cloud, email: str) -> bool:
    """False when the user was there already."""
    cognito = cloud.client("cognito-idp")
    pool = cloud.parameters("auth/")["user-pool-id"]
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=email,
            DesiredDeliveryMediums=["EMAIL"],
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    except cognito.exceptions.UsernameExistsException:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("email")
    options = parser.parse_args()
    try:
        new = invite(connect(options.stage), options.email)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{options.email} is invited by e-mail" if new else f"{options.email} was invited before")
    return 0


if __name__ == "__main__":
    sys.exit(main())
