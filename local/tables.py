"""The tables as the CDK add-on makes them on AWS."""

from typing import Any

from cdk.synthesized import Deployment
from chalicelib.platform import aws, settings


def create_missing(dynamodb: Any, deployment: Deployment) -> None:
    """Create the tables that are not in the snapshot."""
    existing = set(dynamodb.list_tables()["TableNames"])
    times_to_live = {entry["TableName"]: entry for entry in deployment.times_to_live()}
    for table in deployment.tables():
        if table["TableName"] not in existing:
            dynamodb.create_table(**table)
            dynamodb.update_time_to_live(**times_to_live[table["TableName"]])


def main() -> None:
    """The tables of this process's stage."""
    create_missing(aws.client("dynamodb"), Deployment(settings.stage()))


if __name__ == "__main__":
    main()
