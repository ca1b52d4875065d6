"""The second engine (docs/engines.md): the MicroVM image and its two roles. Deployed only with RUNTIME=microvm.

CloudFormation builds a new version of the image when anything of it changes; machines of the old one live on until
their own end. Nothing of this ran on AWS.
"""

from aws_cdk import CfnCondition, CfnParameter, Fn, RemovalPolicy, aws_iam, aws_lambda, aws_logs
from constructs import Construct

from cdk import microvm_image
from cdk.base import StageStack
from cdk.stacks.compute import WAKE_FUNCTION
from cdk.task_role import WAKE_ROLE, allow, bedrock_statements, task_statements

IMAGE = "serverless-openclaw-${Stage}"
REPOSITORY = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/serverless-openclaw-${Stage}/agent"
AGENT_LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/serverless-openclaw/${Stage}/agent"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
WRITE_LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]


class MicroVm(StageStack):
    """`CodeKey`: the zip in the data bucket; `BaseVersion`: of Lambda's managed image."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "microvm", "image and roles of Lambda MicroVMs")
        self._code = CfnParameter(self, "CodeKey", default="none", description="The image's zip in the data bucket.")
        self._base = CfnParameter(self, "BaseVersion", default="0", description="Version of Lambda's managed image.")
        self._bedrock = CfnParameter(
            self,
            "Bedrock",
            default="false",
            allowed_values=["true", "false"],
            description="Whether agents may call models on Amazon Bedrock, at this account's cost.",
        )
        self._logs = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=self.sub("/serverless-openclaw/${Stage}/microvm"),
            retention=aws_logs.RetentionDays.TWO_WEEKS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role, builder = self._agent_role(), self._build_role()
        image = self._image(builder)
        image.node.add_dependency(builder.node.find_child("DefaultPolicy"))  # the build begins at once
        self.export("microvm/image", image.attr_image_arn)
        self.export("microvm/role", role.role_arn)
        self.export("microvm/log-group", self.sub("/serverless-openclaw/${Stage}/agent"))

    def _image(self, builder: aws_iam.Role) -> aws_lambda.CfnMicrovmImage:
        kind = aws_lambda.CfnMicrovmImage
        hooks = microvm_image.hooks()
        image, machine = hooks["microvmImageHooks"], hooks["microvmHooks"]
        return kind(
            self,
            "Image",
            name=self.named(),
            description="An agent of serverless-openclaw, loaded and without an owner",
            base_image_arn=self.sub("arn:${AWS::Partition}:lambda:${AWS::Region}:aws:microvm-image:al2023-1"),
            base_image_version=self._base.value_as_string,
            build_role_arn=builder.role_arn,
            code_artifact=kind.CodeArtifactProperty(
                uri=Fn.join("", ["s3://", self.imported("storage/data-bucket"), "/", self._code.value_as_string])
            ),
            cpu_configurations=[kind.CpuConfigurationProperty(architecture="ARM_64")],
            resources=[kind.ResourcesProperty(minimum_memory_in_mib=microvm_image.MEMORY_MIB)],
            # Root needs it for a moment, for the rule that closes the metadata service (container/microvm/closed.py).
            additional_os_capabilities=["ALL"],
            egress_network_connectors=[],  # Lambda's own: the internet
            environment_variables=[
                kind.EnvironmentVariableProperty(key=name, value=value) for name, value in self._environment().items()
            ],
            hooks=kind.HooksProperty(
                port=hooks["port"],
                microvm_image_hooks=kind.MicrovmImageHooksProperty(**_snake(image)),
                microvm_hooks=kind.MicrovmHooksProperty(**_snake(machine)),
            ),
            logging=kind.LoggingProperty(
                cloud_watch=kind.CloudWatchLoggingProperty(log_group=self._logs.log_group_name)
            ),
        )

    def _environment(self) -> dict[str, str]:
        """As in the task definition. No secret: it is in every snapshot."""
        return microvm_image.environment(
            {
                "STAGE": self.stage.value_as_string,
                "PARAMETER_PATH": self.sub("/serverless-openclaw/${Stage}/"),
                "DATA_BUCKET": self.imported("storage/data-bucket"),
                "AWS_REGION": self.region,
                "BEDROCK": self._bedrock.value_as_string,
                "WAKE_FUNCTION": self.sub(WAKE_FUNCTION),
                "WAKE_ROLE": self.sub(WAKE_ROLE),
            }
        )

    def _agent_role(self) -> aws_iam.Role:
        """What an agent may, as its task may on ECS, and to write its log itself."""
        role = aws_iam.Role(
            self, "AgentRole", role_name=self.named("-microvm"), assumed_by=_service(), description="What an agent may"
        )
        logs = allow(self, WRITE_LOGS, [f"{AGENT_LOGS}:*"])
        role.attach_inline_policy(aws_iam.Policy(self, "AgentPolicy", statements=[*task_statements(self), logs]))
        models = aws_iam.Policy(self, "Models", statements=bedrock_statements(self))
        resource = models.node.default_child
        assert isinstance(resource, aws_iam.CfnPolicy)
        resource.cfn_options.condition = CfnCondition(
            self, "UseBedrock", expression=Fn.condition_equals(self._bedrock.value_as_string, "true")
        )
        role.attach_inline_policy(models)
        return role

    def _build_role(self) -> aws_iam.Role:
        """Reads the zip and the agent's image, and writes the log of the build. `ready` and `validate` run with it."""
        role = aws_iam.Role(self, "BuildRole", role_name=self.named("-microvm-build"), assumed_by=_service())
        bucket = "arn:${AWS::Partition}:s3:::serverless-openclaw-${Stage}-data-${AWS::AccountId}-${AWS::Region}"
        role.add_to_policy(allow(self, ["s3:GetObject"], [f"{bucket}/${{CodeKey}}"]))
        role.add_to_policy(allow(self, PULL, [REPOSITORY]))
        role.add_to_policy(aws_iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        self._logs.grant_write(role)
        return role


def _service() -> aws_iam.PrincipalBase:
    """Lambda tags its session. It names no source account: a condition on one would shut it out (docs/engines.md)."""
    return aws_iam.ServicePrincipal("lambda.amazonaws.com").with_session_tags()


def _snake(hooks: dict[str, object]) -> dict[str, object]:
    """`runTimeoutInSeconds` as the CDK for Python names it."""
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in hooks.items()}
