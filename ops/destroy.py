"""`make destroy STAGE=dev`: removes the stage and all its data; nothing that costs is left."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk.synthesized import Deployment
from chalicelib.telegram.api import TelegramError
from ops import telegram
from ops.cloud import Cloud, Problem, connect, pages
from ops.deployment.stacks import StackFailed, Stacks
from ops.names import ORDER, parameter, prefix, stack_name

BATCH = 1000  # objects in one DeleteObjects


class Removal:
    """Each step may be repeated, and is content when its things are gone already."""

    def __init__(
        self, cloud: Cloud, stacks: Stacks | None = None, make_bot: Callable[[str], telegram.Bot] = telegram.bot
    ) -> None:
        self._cloud = cloud
        self._make_bot = make_bot
        self._stacks = stacks or Stacks(cloud.client("cloudformation"))
        # Uses the known names, because a deleted stack lists no resources.
        deployed = Deployment(cloud.stage, cloud.region, cloud.account)
        self._buckets = [
            str(properties["BucketName"])
            for stack in ("storage", "web")
            for _, properties in deployed.resources(stack, "AWS::S3::Bucket")
        ]
        self._tables = [str(table["TableName"]) for table in deployed.tables()]

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        return [
            ("Telegram webhook", self._webhook),
            ("running agents", self._stop_tasks),
            ("MicroVMs", self._stop_machines),
            ("web files", lambda: self._empty(self._buckets[1])),
            *[(f"stack {noun}", self._stack(noun)) for noun in reversed(ORDER)],
            ("data bucket", lambda: self._bucket(self._buckets[0])),
            ("tables", self._drop_tables),
            ("users", self._pools),
            ("secrets and parameters", self._parameters),
            ("logs", self._logs),
        ]

    def _webhook(self) -> str:
        """A dead token must not keep the stage: what Telegram calls is removed with it anyway."""
        try:
            telegram.remove(self._cloud, self._make_bot)
        except TelegramError as error:
            return f"NOT removed, Telegram did not do it ({error}); the rest goes on"
        return "removed"

    def _stop_tasks(self) -> str:
        ecs, cluster = self._cloud.client("ecs"), prefix(self._cloud.stage)
        try:
            tasks = list(pages(ecs, "list_tasks", "taskArns", cluster=cluster))
        except ecs.exceptions.ClusterNotFoundException:
            return "no cluster"
        for task in tasks:
            ecs.stop_task(cluster=cluster, task=task, reason="the stage is removed")
        return f"{len(tasks)} stopped"

    def _stop_machines(self) -> str:
        image = self._cloud.parameters().get("microvm/image")
        if image is None:
            return "none"
        client = self._cloud.client("lambda-microvms")
        items = list(pages(client, "list_microvms", "items", imageIdentifier=image))
        live = [item["microvmId"] for item in items if item["state"] not in ("TERMINATING", "TERMINATED")]
        for name in live:
            client.terminate_microvm(microvmIdentifier=name)
        return f"{len(live)} ended"

    def _stack(self, noun: str) -> Callable[[], str]:
        def work() -> str:
            self._stacks.delete(stack_name(self._cloud.stage, noun))
            return "removed"

        return work

    def _empty(self, bucket: str) -> str:
        """Every version of every object."""
        s3 = self._cloud.client("s3")
        removed = 0
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                found = page.get("Versions", []) + page.get("DeleteMarkers", [])
                keys = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
                for start in range(0, len(keys), BATCH):
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": keys[start : start + BATCH], "Quiet": True})
                removed += len(keys)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
        return f"{removed} removed"

    def _bucket(self, bucket: str) -> str:
        said = self._empty(bucket)
        self._gone(partial(self._cloud.client("s3").delete_bucket, Bucket=bucket), "NoSuchBucket")
        return said

    def _drop_tables(self) -> str:
        dynamodb = self._cloud.client("dynamodb")
        for name in self._tables:
            self._gone(partial(dynamodb.delete_table, TableName=name), "ResourceNotFoundException")
        return f"{len(self._tables)} removed"

    def _pools(self) -> str:
        cognito = self._cloud.client("cognito-idp")
        found = pages(cognito, "list_user_pools", "UserPools", MaxResults=60)
        ours = [pool["Id"] for pool in found if pool["Name"] == prefix(self._cloud.stage)]
        for pool in ours:
            cognito.delete_user_pool(UserPoolId=pool)
        return f"{len(ours)} pool(s) removed"

    def _parameters(self) -> str:
        ssm = self._cloud.client("ssm")
        path = parameter(self._cloud.stage).rstrip("/")
        found = pages(ssm, "get_parameters_by_path", "Parameters", Path=path, Recursive=True)
        names = [entry["Name"] for entry in found]
        for start in range(0, len(names), 10):
            ssm.delete_parameters(Names=names[start : start + 10])
        return f"{len(names)} removed"

    def _logs(self) -> str:
        """Groups that a late call made again after its stack was gone."""
        logs = self._cloud.client("logs")
        starts = (f"/aws/lambda/{prefix(self._cloud.stage)}-", parameter(self._cloud.stage))
        names = [
            group["logGroupName"]
            for start in starts
            for group in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=start)
        ]
        for name in names:
            logs.delete_log_group(logGroupName=name)
        return f"{len(names)} removed"

    @staticmethod
    def _gone(work: Callable[[], Any], absent: str) -> None:
        try:
            work()
        except ClientError as error:
            if error.response["Error"]["Code"] != absent:
                raise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    where = f"stage {cloud.stage} in account {cloud.account}, {cloud.region}"
    print(f"This removes {where}, with ALL conversations and files.")
    if not options.yes and input(f"Type {cloud.stage} to go on: ") != cloud.stage:
        print("Nothing was changed.")
        return 1
    steps = Removal(cloud).steps()
    for number, (name, work) in enumerate(steps, 1):
        try:
            print(f"[{number:2}/{len(steps)}] {name}: {work()}", flush=True)
        except (StackFailed, RuntimeError, ClientError, BotoCoreError) as error:
            print(f"[{number:2}/{len(steps)}] {name}: FAILED\n\n{error}\n\nRun it again.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
