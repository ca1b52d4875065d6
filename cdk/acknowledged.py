"""Findings of cdk-nag that stay, each with its reason. Everything else fails the synthesis."""

from aws_cdk import Acknowledgment, App, Validations
from constructs import IConstruct

ARN = "arn:<AWS::Partition>"
BUCKET = f"{ARN}:s3:::serverless-openclaw-<Stage>-data-<AWS::AccountId>-<AWS::Region>"
PARAMETERS = f"{ARN}:ssm:<AWS::Region>:<AWS::AccountId>:parameter/serverless-openclaw/<Stage>"
SCHEDULES = f"{ARN}:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/serverless-openclaw-<Stage>/*"
REBUILT = "Holds only what is in progress: the system makes these rows anew, so a backup would be paid for nothing."
ANY_MODEL = "Which model is the user's choice at run time; the whole policy exists only when Bedrock is asked for."
OBJECTS = "Keys below this prefix hold user ids, which are not known when this is deployed."

# Construct path -> rule -> reason.
REASONS: dict[str, dict[str, str]] = {
    "network/Vpc": {"VPC7": "Flow logs cost more than the system; nothing listens in this network."},
    "storage/Data": {"S1": "Only two roles reach the bucket; CloudTrail data events can be turned on when needed."},
    "storage/TaskState": {"DDB3": REBUILT},
    "storage/Connections": {"DDB3": REBUILT},
    "storage/PendingMessages": {"DDB3": REBUILT},
    "auth/Users": {
        "COG8": "The plus plan costs per user; accounts are by invitation and TOTP is offered.",
        "COG2": "MFA is each user's choice (TOTP): a family may do without.",
    },
    "compute/Cluster": {"ECS4": "Container Insights costs more than the tasks; the tasks write their own metrics."},
    "compute/Task": {"ECS2": "The variables are names (stage, path, bucket); secrets are read from SSM at run time."},
    "compute/TaskPolicy": {
        f"IAM5[Resource::{BUCKET}/workspaces/*]": OBJECTS,
        f"IAM5[Resource::{BUCKET}/attachments/*]": OBJECTS,
        f"IAM5[Resource::{SCHEDULES}]": "One schedule for each user, named by a hash of an id that is not known here.",
        f"IAM5[Resource::{BUCKET}/exports/*]": OBJECTS,
        f"IAM5[Resource::{BUCKET}/imports/*]": OBJECTS,
        f"IAM5[Resource::{BUCKET}/skills/*]": OBJECTS,
        f"IAM5[Resource::{BUCKET}/files/*]": OBJECTS,
        f"IAM5[Resource::{PARAMETERS}/*]": "All parameters of this stage, read in one call; a key may be added later.",
    },
    "compute/Models": {
        f"IAM5[Resource::{ARN}:bedrock:*::foundation-model/*]": ANY_MODEL,
        f"IAM5[Resource::{ARN}:bedrock:<AWS::Region>:<AWS::AccountId>:inference-profile/*]": ANY_MODEL,
    },
    "compute/ExecutionRole": {"IAM5[Resource::*]": "ecr:GetAuthorizationToken knows no resources."},
    "web/Site": {"S1": "Holds public files only."},
    "web/Distribution": {
        "CFR1": "Where its owner travels is not ours to say.",
        "CFR2": "A web ACL costs 5 dollars a month; the files are static and public.",
        "CFR3": "Access logs would store visitors' addresses for no use.",
        "CFR4": "The default certificate fixes the minimum to TLSv1; an own domain (docs/deployment.md) raises it.",
    },
}
# The second engine's agent may do what a task may, and writes its log itself.
REASONS |= {
    "microvm/AgentPolicy": REASONS["compute/TaskPolicy"]
    | {
        f"IAM5[Resource::{ARN}:logs:<AWS::Region>:<AWS::AccountId>:log-group:/serverless-openclaw/<Stage>/agent:*]": (
            "One stream for each machine, named by Lambda."
        )
    },
    "microvm/Models": REASONS["compute/Models"],
    "microvm/BuildRole": REASONS["compute/ExecutionRole"],
}


def acknowledge(app: App) -> None:
    """Attach every reason to its construct. Raises for a path that is no more."""
    for path, reasons in REASONS.items():
        construct: IConstruct = app
        for part in path.split("/"):
            construct = construct.node.find_child(part)
        rules = [
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason) for rule, reason in reasons.items()
        ]
        Validations.of(construct).acknowledge(*rules)
