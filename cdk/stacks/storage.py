"""What is kept: five tables, one bucket, the image repository. Data outlives its stack."""

from aws_cdk import Duration, RemovalPolicy, aws_dynamodb, aws_ecr, aws_s3
from constructs import Construct

from cdk.base import StageStack
from chalicelib.messages.files import KEPT_DAYS, KEPT_TAG

# Deleted with a failed first creation (so that it can be repeated), kept ever after.
KEEP = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
ALL = aws_dynamodb.ProjectionType.ALL
KEYS_ONLY = aws_dynamodb.ProjectionType.KEYS_ONLY


def key(name: str) -> aws_dynamodb.Attribute:
    return aws_dynamodb.Attribute(name=name, type=aws_dynamodb.AttributeType.STRING)


class Storage(StageStack):
    """On-demand tables: an idle system pays for its bytes and nothing else."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "storage", "tables, data bucket, image repository")
        self._table("Conversations", "userId", "itemKey", backup=True)
        self._table("Settings", "userId", "key", backup=True)
        tasks = self._table("TaskState", "userId")
        tasks.add_global_secondary_index(
            index_name="active-index", partition_key=key("active"), sort_key=key("userId"), projection_type=ALL
        )
        tasks.add_global_secondary_index(
            index_name="wake-index",
            partition_key=key("waking"),
            sort_key=aws_dynamodb.Attribute(name="wakeAt", type=aws_dynamodb.AttributeType.NUMBER),
            projection_type=KEYS_ONLY,
        )
        connections = self._table("Connections", "connectionId")
        connections.add_global_secondary_index(
            index_name="userId-index", partition_key=key("userId"), projection_type=ALL
        )
        inbox = self._table("PendingMessages", "userId", "messageId")
        inbox.add_local_secondary_index(
            index_name="waiting-by-user-index", sort_key=key("waitingSince"), projection_type=ALL
        )
        inbox.add_global_secondary_index(
            index_name="waiting-index",
            partition_key=key("waiting"),
            sort_key=key("waitingSince"),
            projection_type=KEYS_ONLY,
        )
        self._bucket()
        self._repository()

    def _table(self, noun: str, partition: str, sort: str | None = None, backup: bool = False) -> aws_dynamodb.Table:
        return aws_dynamodb.Table(
            self,
            noun,
            table_name=self.named(f"-{noun}"),
            partition_key=key(partition),
            sort_key=key(sort) if sort else None,
            billing_mode=aws_dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expiresAt",
            # What people wrote can be brought back to any second of 35 days; the rest makes itself anew.
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=backup
            ),
            removal_policy=KEEP,
        )

    def _bucket(self) -> None:
        bucket = aws_s3.Bucket(
            self,
            "Data",
            bucket_name=self.named("-data-${AWS::AccountId}-${AWS::Region}"),
            versioned=True,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=KEEP,
            # The page uploads with a signed POST. Its address is not known here; without a signature S3 refuses.
            cors=[
                aws_s3.CorsRule(
                    allowed_methods=[aws_s3.HttpMethods.POST, aws_s3.HttpMethods.GET],
                    allowed_origins=["*"],
                    allowed_headers=["*"],
                    max_age=3600,
                )
            ],
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    expired_object_delete_marker=True,
                ),
                aws_s3.LifecycleRule(prefix="attachments/", expiration=Duration.days(7)),
                aws_s3.LifecycleRule(prefix="exports/", expiration=Duration.days(7)),
                aws_s3.LifecycleRule(prefix="imports/", expiration=Duration.days(1)),
                # The agent's files go with the conversation: the tag is the user's retention. Without one they stay.
                *(
                    aws_s3.LifecycleRule(
                        prefix="files/", tag_filters={KEPT_TAG: str(days)}, expiration=Duration.days(days)
                    )
                    for days in KEPT_DAYS
                ),
                # No rule for releases/: CloudFormation may go back to any of them (ops/deployment/releases.py).
            ],
        )
        self.export("storage/data-bucket", bucket.bucket_name)

    def _repository(self) -> None:
        repository = aws_ecr.Repository(
            self,
            "Agent",
            repository_name=self.sub("serverless-openclaw-${Stage}/agent"),
            image_scan_on_push=True,
            image_tag_mutability=aws_ecr.TagMutability.IMMUTABLE,
            empty_on_delete=True,
            removal_policy=RemovalPolicy.DESTROY,
            # Tagged ones are removed by `make deploy`: a rule does not know which one is deployed.
            lifecycle_rules=[
                aws_ecr.LifecycleRule(
                    rule_priority=1, tag_status=aws_ecr.TagStatus.UNTAGGED, max_image_age=Duration.days(1)
                ),
            ],
        )
        self.export("storage/repository-uri", repository.repository_uri)
