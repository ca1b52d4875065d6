"""The role by which ECS acts in the account. Only accounts that have used ECS before have it."""

from botocore.exceptions import ClientError

from ops.cloud import Cloud

ROLE, SERVICE = "AWSServiceRoleForECS", "ecs.amazonaws.com"
# What IAM answers when somebody else has just made it.
TAKEN = ("InvalidInput", "EntityAlreadyExists")


def need(cloud: Cloud) -> str:
    """Make the role if it is missing; what was done.

    ECS makes it too, when CloudFormation creates the first cluster, and cannot use it at once: that
    deployment fails with "Unable to assume the service linked role". Made early, it is ready by then.
    """
    iam = cloud.client("iam")
    try:
        iam.get_role(RoleName=ROLE)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    else:
        return "is there"
    try:
        iam.create_service_linked_role(AWSServiceName=SERVICE)
    except ClientError as error:
        if error.response["Error"]["Code"] not in TAKEN:
            raise
        return "is there"
    return "made"
