"""Where the image, or the local stack, has Node, OpenClaw and the agent's home."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.shared.user import AgentUser


@dataclass(frozen=True)
class Installed:
    """`modules`: the list of what OpenClaw loads (container/image/record.mjs)."""

    node: str
    openclaw: str
    compile_cache: str
    modules: str
    home: Path
    agent: AgentUser


def installed(env: Mapping[str, str] = os.environ) -> Installed:
    return Installed(
        node=env.get("NODE_BINARY", "node"),
        openclaw=env.get("OPENCLAW_ENTRY", "/opt/openclaw/node_modules/openclaw/openclaw.mjs"),
        compile_cache=env.get("OPENCLAW_COMPILE_CACHE", "/opt/openclaw/compile-cache"),
        modules=env.get("OPENCLAW_MODULES", "/opt/openclaw/modules.json"),
        home=Path(env.get("AGENT_HOME", "/home/agent")),
        agent=AgentUser(int(env["AGENT_UID"]) if env.get("AGENT_UID") else None),
    )
