"""The deployment's secrets: SSM parameters read at run time, never in the environment or the image."""

from collections.abc import Callable

from chalicelib.platform import aws
from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms

# A secret that was changed is used after this time at the latest; one that is missing is looked for
# sooner, since somebody is probably setting it up.
KEEP = 5 * MINUTE
KEEP_MISSING = 20 * SECOND


def read(path: str) -> dict[str, str]:
    """All parameters below a path, by their last name; one call for up to ten of them."""
    pages = (
        aws.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=path, Recursive=False, WithDecryption=True)
    )
    return {entry["Name"].rsplit("/", 1)[-1]: entry["Value"] for page in pages for entry in page["Parameters"]}


def named(*names: str) -> Callable[[str], dict[str, str]]:
    """Reads these below a path and no others, in one call (ten names at most). IAM allows this caller no other name."""

    def fetch(path: str) -> dict[str, str]:
        answer = aws.client("ssm").get_parameters(Names=[path + name for name in names], WithDecryption=True)
        return {entry["Name"].rsplit("/", 1)[-1]: entry["Value"] for entry in answer["Parameters"]}

    return fetch


class Secrets:
    """A path's parameters, kept in memory for a while."""

    def __init__(self, path: str, fetch: Callable[[str], dict[str, str]] = read, clock: Clock = now_ms) -> None:
        self._path = path
        self._fetch = fetch
        self._clock = clock
        self._values: dict[str, str] = {}
        self._read_at: int | None = None

    def get(self, name: str) -> str:
        """The secret's value, or an empty string when it is not set."""
        keep = KEEP if self._values.get(name) else KEEP_MISSING
        if self._read_at is None or self._clock() - self._read_at > keep:
            self.renew()
        return self._values.get(name, "")

    def all(self) -> dict[str, str]:
        """Every parameter there is, read now."""
        self.renew()
        return dict(self._values)

    def renew(self) -> None:
        """Read again now: a value that was just refused may have been replaced."""
        self._values, self._read_at = self._fetch(self._path), self._clock()

    def below(self, folder: str) -> "Secrets":
        """The parameters of a folder in this path; it ends with `/`."""
        return Secrets(self._path + folder, self._fetch, self._clock)

    def __repr__(self) -> str:
        return f"Secrets({self._path!r})"
