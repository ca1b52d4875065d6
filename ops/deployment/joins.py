"""Fills in the SSM parameters of the templates before CloudFormation compares them.

CloudFormation reads `{{resolve:ssm:…}}` only when something else has changed. If only the parameter's value
changed, a function would keep the old value.
"""

import re
from collections.abc import Mapping
from typing import Any

from ops.names import parameter

REFERENCE = re.compile(r"\{\{resolve:ssm:/serverless-openclaw/(?:\$\{Stage\}|[a-z0-9]+)/([a-z/-]+)\}\}")


def filled(part: Any, values: Mapping[str, str]) -> Any:
    """A template with the stage's parameters in place. Raises KeyError for one that is not there."""
    if isinstance(part, dict):
        return {name: filled(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [filled(value, values) for value in part]
    return REFERENCE.sub(lambda found: values[found.group(1)], part) if isinstance(part, str) else part


def missing(error: KeyError, stage: str) -> str:
    """What to say of it."""
    return f"The SSM parameter {parameter(stage, str(error.args[0]))} is not there; was a step left out?"
