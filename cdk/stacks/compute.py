"""Where agents live: a cluster, the task definition, and what a task may do."""

from typing import Any

from aws_cdk import CfnParameter, Fn, RemovalPolicy, aws_ecs, aws_iam, aws_logs, aws_scheduler
from constructs import Construct

from cdk.base import StageStack
from cdk.task_role import WAKE_ROLE, bedrock_statements, task_statements

MEMORY = 2048  # MiB
# Fargate's own default is 30 s; a turn gets 12 of them to end, the snapshot the rest.
STOP_SECONDS = 60
# Two folders may be written; the image's own files may not.
VOLUMES = {"home": "/home/agent", "tmp": "/tmp"}  # noqa: S108  the container's, private to its task
# /health says 503 until the agent can answer, and names its state in the body.
HEALTH = (
    "import json,urllib.request as r;"
    "assert json.load(r.urlopen('http://127.0.0.1:8080/health',timeout=4))['status']=='ok'"
)
# Made by the Chalice application, which comes later: its name is all that is needed here.
WAKE_FUNCTION = (
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:serverless-openclaw-${Stage}-wake"
)
# All that a container gets unasked, but SETUID and SETGID: the Bridge becomes the agent's user with them.
NOT_NEEDED = [
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"),
]


class Compute(StageStack):
    """A cluster without instances or services: tasks are started per user, by RunTask."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "compute", "cluster and task definition")
        image = CfnParameter(self, "ImageTag", default="none", description="The agent image's tag in the repository.")
        paid = "Whether agents may call models on Amazon Bedrock, at this account's cost."
        self._use_bedrock = self.choice("Bedrock", ["false", "true"], paid)
        self._bedrock = self.equals("UseBedrock", self._use_bedrock, "true")
        names = "Whether tasks run in subnets without IPv4, and so call AWS by its dual-stack names."
        size = "Units of 1/1024 vCPU that a task has, with 2 GB of memory."
        self._cpu = self.choice("AgentCpu", ["1024", "512"], size).value_as_string
        self._ipv6_only = self.choice("Ipv6Only", ["false", "true"], names)
        cluster = aws_ecs.CfnCluster(
            self,
            "Cluster",
            cluster_name=self.named(),
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategy=[
                aws_ecs.CfnCluster.CapacityProviderStrategyItemProperty(capacity_provider="FARGATE_SPOT", weight=1)
            ],
            cluster_settings=[aws_ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value="disabled")],
        )
        logs = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=self.sub("/serverless-openclaw/${Stage}/agent"),
            retention=aws_logs.RetentionDays.TWO_WEEKS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        wake = self._wake()
        self._task_definition(self._image(image), logs)
        self.export("compute/wake-function", wake)
        self.export("compute/wake-role", self.sub(WAKE_ROLE))
        self.export("compute/cluster", cluster.ref)
        self.export("compute/task-definition", self.named())

    def _image(self, tag: CfnParameter) -> str:
        """The registry's usual name has no IPv6 address; its other name has both kinds."""
        only = self.equals("UseIpv6", self._ipv6_only, "true")
        dual = "${AWS::AccountId}.dkr-ecr.${AWS::Region}.on.aws/serverless-openclaw-${Stage}/agent"
        name = Fn.condition_if(only.logical_id, self.sub(dual), self.imported("storage/repository-uri"))
        return str(Fn.join(":", [name.to_string(), tag.value_as_string]))

    def _task_definition(self, image: str, logs: aws_logs.LogGroup) -> None:
        aws_ecs.CfnTaskDefinition(
            self,
            "Task",
            family=self.named(),
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            cpu=self._cpu,
            memory=str(MEMORY),
            runtime_platform=aws_ecs.CfnTaskDefinition.RuntimePlatformProperty(
                cpu_architecture="ARM64", operating_system_family="LINUX"
            ),
            task_role_arn=self._task_role().role_arn,
            execution_role_arn=self._execution_role(logs).role_arn,
            volumes=[aws_ecs.CfnTaskDefinition.VolumeProperty(name=name) for name in VOLUMES],
            container_definitions=[self._container(image, logs)],
        )

    def _container(self, image: str, logs: aws_logs.LogGroup) -> Any:
        kind, environment = aws_ecs.CfnTaskDefinition, self._environment()
        return kind.ContainerDefinitionProperty(
            name="agent",
            image=image,
            essential=True,
            memory=MEMORY,
            readonly_root_filesystem=True,
            stop_timeout=STOP_SECONDS,
            linux_parameters=kind.LinuxParametersProperty(
                init_process_enabled=True, capabilities=kind.KernelCapabilitiesProperty(drop=NOT_NEEDED)
            ),
            environment=[kind.KeyValuePairProperty(name=name, value=value) for name, value in environment.items()],
            mount_points=[
                kind.MountPointProperty(source_volume=name, container_path=path, read_only=False)
                for name, path in VOLUMES.items()
            ],
            health_check=kind.HealthCheckProperty(
                command=["CMD", "python3", "-c", HEALTH], interval=30, timeout=5, retries=3, start_period=180
            ),
            log_configuration=kind.LogConfigurationProperty(
                log_driver="awslogs",
                options={
                    "awslogs-group": logs.log_group_name,
                    "awslogs-region": self.region,
                    "awslogs-stream-prefix": "agent",
                    # A slow log service must not stop an answer.
                    "mode": "non-blocking",
                },
            ),
        )

    def _environment(self) -> dict[str, str]:
        return {
            "STAGE": self.stage.value_as_string,
            "PARAMETER_PATH": self.sub("/serverless-openclaw/${Stage}/"),
            "DATA_BUCKET": self.imported("storage/data-bucket"),
            "AWS_REGION": self.region,
            "BEDROCK": self._use_bedrock.value_as_string,
            "WAKE_FUNCTION": self.sub(WAKE_FUNCTION),
            "WAKE_ROLE": self.sub(WAKE_ROLE),
            "AGENT_CPU": self._cpu,
            "IPV6_ONLY": self._ipv6_only.value_as_string,
            "AWS_USE_DUALSTACK_ENDPOINT": self._ipv6_only.value_as_string,  # read by botocore
        }

    def _task_role(self) -> aws_iam.Role:
        role = aws_iam.Role(
            self, "TaskRole", role_name=self.named("-task"), assumed_by=self._tasks(), description="What an agent may"
        )
        role.attach_inline_policy(aws_iam.Policy(self, "TaskPolicy", statements=task_statements(self)))
        models = aws_iam.Policy(self, "Models", statements=bedrock_statements(self))
        resource = models.node.default_child
        assert isinstance(resource, aws_iam.CfnPolicy)
        resource.cfn_options.condition = self._bedrock
        role.attach_inline_policy(models)
        return role

    def _execution_role(self, logs: aws_logs.LogGroup) -> aws_iam.Role:
        role = aws_iam.Role(self, "ExecutionRole", role_name=self.named("-execution"), assumed_by=self._tasks())
        repository = self.sub(
            "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/serverless-openclaw-${Stage}/agent"
        )
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        role.add_to_policy(aws_iam.PolicyStatement(actions=pull, resources=[repository]))
        role.add_to_policy(aws_iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        logs.grant_write(role)
        return role

    def _wake(self) -> str:
        """A group for the users' schedules, and a role that calls the function `wake` for them. Its ARN."""
        group = aws_scheduler.CfnScheduleGroup(self, "Schedules", name=self.named())
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        caller = aws_iam.ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
        )
        role = aws_iam.Role(self, "WakeRole", role_name=self.named("-wake"), assumed_by=caller)
        function = self.sub(WAKE_FUNCTION)
        role.add_to_policy(aws_iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function]))
        return function

    def _tasks(self) -> aws_iam.PrincipalBase:
        """ECS, and only on behalf of this account's own tasks."""
        return aws_iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
        )
