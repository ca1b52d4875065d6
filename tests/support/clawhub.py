"""A small registry of skills, as OpenClaw's own client of ClawHub reads one: the real gateway installs from it."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.skilled import manual, zipped

Json = dict[str, Any]
OWNER, VERSION = "ada", "1.2.0"


@dataclass
class Published:
    """`decision`: of the registry's own scan."""

    slug: str
    files: dict[str, bytes]
    decision: str = "pass"
    links: tuple[str, ...] = ()


@dataclass
class ClawHub:
    """`down`: it answers 503 to everything, at once and for ever."""

    skills: dict[str, Published] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self._send(*outer.answer("GET", self.path, {}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(*outer.answer("POST", self.path, body))

            def _send(self, status: int, body: Json | bytes) -> None:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Retry-After", "0")  # OpenClaw would try for 14 s what is down
                self.send_header("Content-Type", "application/zip" if isinstance(body, bytes) else "application/json")
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(
        self, slug: str, decision: str = "pass", links: tuple[str, ...] = (), head: bytes = b"", **files: bytes
    ) -> None:
        """`head`: its SKILL.md; else a good one."""
        named = {"SKILL.md": head or manual(slug)} | {
            name.replace("__", "/"): content for name, content in files.items()
        }
        self.skills[slug] = Published(slug, named, decision, links)

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Json | bytes]:
        place = urlsplit(path)
        self.asked.append(f"{method} {place.path}")
        if self.down:
            return 503, {"error": "down"}
        if place.path == "/api/v1/search":
            words = parse_qs(place.query).get("q", [""])[0].lower()
            return 200, {"results": [_found(one) for one in self.skills.values() if words in one.slug]}
        if place.path == "/api/v1/skills/-/security-verdicts":
            return 200, {"items": [self._verdict(item) for item in body["items"]]}
        kind, _, rest = place.path.removeprefix("/api/v1/").partition("/")
        slug, _, what = rest.partition("/")
        one = self.skills.get(slug)
        if one is None or kind != "skills":
            return 404, {"error": "not found"}
        if what == "file.zip":
            return 200, zipped(one.files, one.links)
        if what == "install":
            archive = {"version": VERSION, "downloadUrl": f"{self.url}/api/v1/skills/{slug}/file.zip"}
            return 200, {"ok": True, "slug": slug, "installKind": "archive", "archive": archive}
        return (200, _detail(one)) if what == "" else (404, {"error": "not found"})

    def _verdict(self, asked: Json) -> Json:
        one = self.skills[asked["slug"]]
        passed = one.decision == "pass"
        about: Json = {"slug": one.slug, "version": VERSION, "publisherHandle": OWNER, "displayName": one.slug}
        about |= {"requestedSlug": asked["slug"], "requestedVersion": asked["version"]}
        about |= {"requestedOwnerHandle": OWNER, "ok": passed, "decision": one.decision, "reasons": []}
        about |= {"overview": "Scanned.", "securityAuditUrl": f"{self.url}/audit"}
        return about | {"security": {"status": "clean" if passed else "malicious", "passed": passed}}


def _found(one: Published) -> Json:
    about = {"score": 1.0, "slug": one.slug, "displayName": one.slug.title(), "summary": "Brews tea"}
    about |= {"version": VERSION, "updatedAt": 1, "source": "clawhub", "ownerHandle": OWNER}
    return about | {"install": {"kind": "clawhub"}}


def _detail(one: Published) -> Json:
    skill = {"slug": one.slug, "displayName": one.slug.title(), "summary": "Brews tea", "createdAt": 1, "updatedAt": 2}
    latest = {"version": VERSION, "createdAt": 1, "changelog": "Less bitter"}
    return {"skill": skill, "latestVersion": latest, "owner": {"handle": OWNER, "displayName": "Ada"}}
