"""What the Bridge may do on AWS, table by table. tests/infra holds this to the calls it makes."""

from aws_cdk import aws_iam

from cdk.base import StageStack

READ, ADD, CHANGE = "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"
REMOVE, QUERY = "dynamodb:DeleteItem", "dynamodb:Query"

# A task reads its user's conversations for an export.
# In Settings a task keeps how far a Telegram answer has come and finds its status messages; what it reads
# there besides are the preferences. It counts when its user is usually here.
TABLES: dict[str, list[str]] = {
    "Conversations": [READ, ADD, CHANGE, QUERY],
    "Settings": [READ, "dynamodb:BatchGetItem", QUERY, ADD, CHANGE, REMOVE],
    "TaskState": [READ, CHANGE],
    "Connections": [ADD, REMOVE],
    "PendingMessages": [READ, ADD, CHANGE],
}
WAKE_ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/serverless-openclaw-${Stage}-wake"
SCHEDULES = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/serverless-openclaw-${Stage}/*"
INDEXES = {"Connections": "userId-index", "PendingMessages": "waiting-by-user-index"}


def task_statements(stack: StageStack) -> list[aws_iam.PolicyStatement]:
    statements = [allow(stack, actions, [table_arn(noun)]) for noun, actions in TABLES.items()]
    indexes = [f"{table_arn(noun)}/index/{index}" for noun, index in INDEXES.items()]
    path = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/serverless-openclaw/${Stage}"
    bucket = "arn:${AWS::Partition}:s3:::serverless-openclaw-${Stage}-data-${AWS::AccountId}-${AWS::Region}"
    listing = allow(stack, ["s3:ListBucket"], [bucket])
    # A new user has no pointer: without this right S3 answers 403 for a missing object, not 404. That
    # check carries no prefix, so the condition may apply only where there is one.
    wake = allow(stack, ["iam:PassRole"], [WAKE_ROLE])
    wake.add_condition("StringEquals", {"iam:PassedToService": "scheduler.amazonaws.com"})
    listing.add_condition("StringLikeIfExists", {"s3:prefix": "workspaces/*"})
    return [
        *statements,
        allow(stack, [QUERY], indexes),
        allow(stack, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{bucket}/workspaces/*"]),
        allow(stack, ["s3:GetObject"], [f"{bucket}/attachments/*"]),
        allow(stack, ["s3:PutObject"], [f"{bucket}/exports/*"]),
        allow(stack, ["s3:GetObject", "s3:DeleteObject"], [f"{bucket}/imports/*", f"{bucket}/skills/*"]),
        allow(stack, ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"], [f"{bucket}/files/*"]),
        listing,
        allow(stack, ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"], [SCHEDULES]),
        wake,
        allow(stack, ["ssm:GetParametersByPath"], [path, f"{path}/*"]),
    ]


def bedrock_statements(stack: StageStack) -> list[aws_iam.PolicyStatement]:
    """Any text model: which one is the user's choice, at run time. Claude answers at Bedrock's second endpoint."""
    actions = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    models = "arn:${AWS::Partition}:bedrock:*::foundation-model/*"
    profiles = "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:inference-profile/*"
    project = "arn:${AWS::Partition}:bedrock-mantle:${AWS::Region}:${AWS::AccountId}:project/default"
    return [allow(stack, actions, [models, profiles]), allow(stack, ["bedrock-mantle:CreateInference"], [project])]


def table_arn(noun: str) -> str:
    return "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/serverless-openclaw-${Stage}-" + noun


def allow(stack: StageStack, actions: list[str], resources: list[str]) -> aws_iam.PolicyStatement:
    return aws_iam.PolicyStatement(actions=actions, resources=[stack.sub(resource) for resource in resources])
