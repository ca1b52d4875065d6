"""What leads to the AWS calls of skills: the person's wishes, and how the container ends them."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.infra.drive import Drive


def skills(drive: "Drive", user: str) -> None:
    """Uploaded, replaced, switched and deleted; an upload that was refused is dismissed."""
    from chalicelib.agents.skills import Skills
    from tests.support.skilled import folder

    kept, one = Skills(os.environ["DATA_BUCKET"]), "/skills/{name}"
    kept.publish(user, 1, [{"key": "weather", "name": "weather"}])
    drive.rest(user, "GET", "/skills")
    for replace in (False, True):
        drive.rest(user, "POST", "/skills", folder() | {"replace": replace})
    drive.rest(user, "PUT", "/skills/weather", {"enabled": False}, one)
    drive.rest(user, "DELETE", "/skills/tea-maker", None, one)
    drive.rest(user, "POST", "/skills", folder() | {"replace": True})
    kept.refuse(user, next(wish for wish in kept.waiting(user) if wish.action == "put"))
    drive.rest(user, "DELETE", "/skills/tea-maker", None, one)


def servers(drive: "Drive", user: str) -> None:
    """An MCP server with a token: added, listed, refused a second time, removed."""
    wanted = {"name": "docs", "url": "https://mcp.example.com/mcp", "token": "t"}
    for _ in range(2):
        drive.rest(user, "POST", "/mcp", wanted)
    drive.rest(user, "GET", "/mcp")
    drive.rest(user, "DELETE", "/mcp/docs", None, "/mcp/{name}")


def before_bridge(user: str) -> None:
    """Two uploads that wait for the container."""
    from chalicelib.agents.skill_files import from_wire
    from chalicelib.agents.skills import Skills
    from tests.support.skilled import folder, manual

    kept = Skills(os.environ["DATA_BUCKET"])
    for name in ("one", "two"):
        kept.upload(user, from_wire(folder(**{"SKILL.md": manual(name)})), False)


def bridge(user: str, generation: int) -> None:
    """One upload is in the files now, the agent has made another one meanwhile. The MCP servers and a token."""
    from bridge.provider.servers import Servers
    from chalicelib.agents.skills import Skills
    from chalicelib.people.servers import McpServer
    from chalicelib.platform.secrets import Secrets

    kept = Skills(os.environ["DATA_BUCKET"])
    for wish, work in zip(kept.waiting(user), (kept.finish, kept.refuse), strict=True):
        kept.files(user, wish)
        work(user, wish)
    kept.publish(user, generation, [])
    known = Servers(Secrets(os.environ["PARAMETER_PATH"]))
    known.serve(user)
    known.refresh()
    with suppress(LookupError):
        known.token(McpServer("id", "docs", "https://mcp.example.com/", True, 1))
