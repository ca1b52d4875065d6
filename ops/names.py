"""What things are called, for every command alike."""

from cdk.synthesized import STACKS

APPLICATION = "app"
# Each stack reads only what earlier stacks published.
ORDER = (*(name for name in STACKS if name != "monitoring"), APPLICATION, "monitoring")


def prefix(stage: str) -> str:
    return f"serverless-openclaw-{stage}"


def stack_name(stage: str, noun: str) -> str:
    return f"{prefix(stage)}-{noun}"


def parameter(stage: str, path: str = "") -> str:
    """The full name of an SSM parameter of the stage."""
    return f"/serverless-openclaw/{stage}/{path}"
