"""CloudFormation for the tests of `make deploy`: what each stack would publish."""

from typing import Any

from cdk.synthesized import Deployment as Templates
from ops.cloud import Cloud
from ops.deployment.stacks import StackFailed, Stacks
from ops.names import parameter

STAGE = "dev"


class FakeStacks(Stacks):
    """Publishes what each stack would: moto knows neither CloudFront nor user pool clients."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(client=None)
        object.__setattr__(self, "cloud", cloud)
        object.__setattr__(self, "made", [])
        object.__setattr__(self, "parameters", {})
        object.__setattr__(self, "templates", {})
        object.__setattr__(self, "fail_at", "")

    def status(self, name: str) -> str | None:
        return "UPDATE_COMPLETE" if name in self.made else None  # type: ignore[attr-defined]

    def delete(self, name: str) -> None:
        self.made[:] = [one for one in self.made if one != name]  # type: ignore[attr-defined]

    def _text(self, template: Any) -> str:
        if "TemplateBody" in template:
            return str(template["TemplateBody"])
        bucket, key = template["TemplateURL"].removeprefix("https://").split(".s3.us-east-1.amazonaws.com/")
        read = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)  # type: ignore[attr-defined]
        return str(read["Body"].read().decode())

    def deploy(self, name: str, template: Any, parameters: Any) -> bool:
        if self.fail_at in name and self.fail_at:  # type: ignore[attr-defined]
            raise StackFailed(f"{name}: no luck")
        again = name in self.made  # type: ignore[attr-defined]
        self.made.append(name)  # type: ignore[attr-defined]
        self.parameters[name] = dict(parameters)  # type: ignore[attr-defined]
        self.templates[name] = self._text(template)  # type: ignore[attr-defined]
        noun = name.removeprefix(f"serverless-openclaw-{STAGE}-")
        for path, value in published(noun, parameters).items():
            ssm(self.cloud).put_parameter(Name=path, Value=value, Type="String", Overwrite=True)  # type: ignore[attr-defined]
        if noun == "storage":
            bucket = published("storage")[parameter(STAGE, "storage/data-bucket")]
            self.cloud.client("s3").create_bucket(Bucket=bucket)  # type: ignore[attr-defined]
        if noun == "web":
            self.cloud.client("s3").create_bucket(Bucket="site")  # type: ignore[attr-defined]
        return not again


def ssm(cloud: Cloud) -> Any:
    return cloud.client("ssm")


def published(noun: str, parameters: Any = None) -> dict[str, str]:
    if noun == "app":
        values = {"websocket-url": "wss://w/api/", "api/rest-url": "https://r/api/", "api/websocket-id": "w"}
        return {parameter(STAGE, path): value for path, value in values.items()}
    templates = Templates(STAGE, parameters=parameters or {})
    found = {p["Name"]: str(p["Value"]) for _, p in templates.resources(noun, "AWS::SSM::Parameter")}
    known = {"storage/data-bucket": "data", "web/bucket": "site", "web/distribution-id": "E1"}
    return found | {parameter(STAGE, path): value for path, value in known.items() if parameter(STAGE, path) in found}
