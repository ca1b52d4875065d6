"""What every stack shares: one template for all stages, joined by SSM parameters only."""

from aws_cdk import CfnCondition, CfnParameter, DefaultStackSynthesizer, Fn, Stack, aws_ssm
from constructs import Construct

PREFIX = "serverless-openclaw"
PARAMETERS = "/serverless-openclaw/${Stage}/"


class StageStack(Stack):  # type: ignore[misc]  # the CDK is not typed here
    """A stack of which `Stage` is a parameter, so that the reviewed template is the deployed one."""

    def __init__(self, scope: Construct, noun: str, description: str) -> None:
        super().__init__(
            scope,
            noun,
            description=f"serverless-openclaw: {description}",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            analytics_reporting=False,
        )
        self.stage = CfnParameter(
            self,
            "Stage",
            description="The stage's name; every name carries it.",
            allowed_pattern="[a-z][a-z0-9]{1,11}",
            constraint_description="2 to 12 lower-case letters and digits, a letter first",
        )

    def choice(self, name: str, values: list[str], description: str) -> CfnParameter:
        """A parameter with one of these values; the first one is the default."""
        return CfnParameter(self, name, default=values[0], allowed_values=values, description=description)

    def equals(self, name: str, parameter: CfnParameter, value: str) -> CfnCondition:
        return CfnCondition(self, name, expression=Fn.condition_equals(parameter.value_as_string, value))

    def sub(self, text: str) -> str:
        """A string with ${Stage}, ${AWS::Region} and the like filled in by CloudFormation."""
        return str(Fn.sub(text))

    def named(self, suffix: str = "") -> str:
        """`serverless-openclaw-<stage><suffix>`."""
        return self.sub(f"{PREFIX}-${{Stage}}{suffix}")

    def export(self, path: str, value: str) -> None:
        """Publish a value below /serverless-openclaw/<stage>/."""
        identity = "Export" + "".join(part.title() for part in path.replace("/", "-").split("-"))
        aws_ssm.CfnParameter(self, identity, name=self.sub(PARAMETERS + path), type="String", value=value)

    def imported(self, path: str) -> str:
        """What another stack exported; CloudFormation reads it when it deploys."""
        return self.sub("{{resolve:ssm:" + PARAMETERS + path + "}}")
