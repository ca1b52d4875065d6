"""What leads to the AWS calls of files: those of a conversation, and those of the workspace."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra import skilled

if TYPE_CHECKING:
    from tests.infra.drive import Drive


def files(drive: "Drive", user: str) -> None:
    """A file that the agent gave with an answer, which goes with its conversation; and one of the saved workspace."""
    from bridge.memory.snapshots import Snapshots
    from chalicelib import wiring
    from chalicelib.agents.workspace import id_of
    from chalicelib.messages.files import object_key
    from chalicelib.messages.proactive import proactive_row, save
    from chalicelib.platform import aws

    bucket, known = (
        wiring.settings().need("DATA_BUCKET"),
        {"id": "0" * 32, "name": "a", "mimeType": "b", "sizeBytes": 1},
    )
    one, entry = "/files/{file_id}", "/workspace/{entry_id}"
    drive.rest(user, "GET", f"/files/{'0' * 32}", None, one)
    aws.client("s3").put_object(Bucket=bucket, Key=object_key(user, "0" * 32), Body=b"a")
    save(proactive_row(user, "main", "with-a-file", 1, "text", "cause", None, [known]))
    drive.rest(user, "GET", f"/files/{'0' * 32}", None, one)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "state" / "workspace").mkdir(parents=True)
        (Path(folder) / "state" / "workspace" / "a.txt").write_text("a")
        (Path(folder) / "state" / "workspace" / "SOUL.md").write_text("a")
        Snapshots(bucket, user, 1).backup(Path(folder) / "state")
    drive.rest(user, "GET", "/workspace")
    drive.rest(user, "GET", f"/workspace/{id_of('workspace')}", None, entry)
    drive.rest(user, "POST", f"/workspace/{id_of('workspace/a.txt')}", None, entry)
    notes(drive, user)
    skilled.skills(drive, user)
    skilled.servers(drive, user)


def notes(drive: "Drive", user: str) -> None:
    """Its memory files: listed, searched, read, edited, and an edit that is dropped."""
    from chalicelib.agents.notes import Edits, version_of

    for name in ("", "?q=a"):
        drive.rest(user, "GET", f"/notes{name}", None, "/notes")
    one = "/notes/one?name=SOUL.md"
    drive.rest(user, "GET", one, None, "/notes/one")
    body = {"name": "SOUL.md", "text": "b", "version": version_of("a")}
    drive.rest(user, "PUT", "/notes/one", body)
    drive.rest(user, "DELETE", f"{one}&id={Edits().of(user)['SOUL.md'].id}", None, "/notes/one")
