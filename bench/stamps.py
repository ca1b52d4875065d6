"""Answers that carry the time at which they were written, on the clock all processes share."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

ASK = re.compile(r"stream (\d+) every (\d+) ms(?: and echo (\w+))?")
DEFAULT_WORDS = 5
ECHO = "you said "
STAMP = re.compile(r"@(\d+\.\d{6})@")


@dataclass(frozen=True)
class Asked:
    """Words, seconds between them, and a word to end with."""

    count: int
    pause: float
    echo: str


def ask(count: int, pause_ms: int, echo: str = "") -> str:
    """Tells the scripted model and gateway how many words to write, and how far apart."""
    return f"stream {count} every {pause_ms} ms" + (f" and echo {echo}" if echo else "")


def asked_in(text: str) -> Asked:
    """What a text asks for; the last such words in it count."""
    found = ASK.findall(text)
    return Asked(int(found[-1][0]), int(found[-1][1]) / 1000, found[-1][2]) if found else Asked(DEFAULT_WORDS, 0.0, "")


def stamp() -> str:
    return f"@{time.monotonic():.6f}@"


def words(asked: Asked) -> Iterator[str]:
    """The words; the first and the last are the time at which they are taken, then comes the echo."""
    for number in range(asked.count):
        yield (f"{stamp()} " if number in (0, asked.count - 1) else f"word{number} ")
    if asked.echo:
        yield f"{ECHO}{asked.echo}."


def stamps(text: str) -> list[float]:
    """The times in a text."""
    return [float(found) for found in STAMP.findall(text)]
