"""Synthesizes all stacks: `python -m cdk.app` writes cdk/synthesized/*.json.

The stage is a parameter of the templates, so there is one set of them: what is reviewed here is
what `make deploy` hands to CloudFormation, for every stage and from every machine.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# Node's own end of life is not ours: without this, its notice fills eleven lines on every import.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from cdk.acknowledged import acknowledge
from cdk.stacks.auth import Auth
from cdk.stacks.compute import Compute
from cdk.stacks.microvm import MicroVm
from cdk.stacks.monitoring import Monitoring
from cdk.stacks.network import Network
from cdk.stacks.storage import Storage
from cdk.stacks.web import Web
from cdk.synthesized import FOLDER, STACKS

Template = dict[str, Any]


def build(outdir: str) -> App:
    """The app with every stack, checked by cdk-nag when it synthesizes."""
    app = App(outdir=outdir, analytics_reporting=False)
    for stack in (Network, Storage, Auth, Compute, MicroVm, Web, Monitoring):
        stack(app)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    acknowledge(app)
    return app


def synthesize() -> dict[str, Template]:
    """Every template by its stack's name. Raises RuntimeError when cdk-nag finds something."""
    with tempfile.TemporaryDirectory() as folder:
        build(folder).synth()
        return {name: json.loads((Path(folder) / f"{name}.template.json").read_text()) for name in STACKS}


def normalised(template: Template) -> str:
    """The same text for the same template, whoever synthesized it."""
    return json.dumps(template, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, template in synthesize().items():
        (FOLDER / f"{name}.json").write_text(normalised(template))
    return 0


if __name__ == "__main__":
    sys.exit(main())
