"""What must be true after the load, whatever was killed in it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.load.chaos import Sample
from bench.load.person import Chatter
from bench.stamps import ECHO
from local.stack import Stack
from tests.support.tables import dynamodb, table

# A function instance or the API that grows by more than this in the second half of a run leaks.
GROWTH_MB = 25.0
CLOUD_GROWTH_MB, CLOUD_MB_PER_MESSAGE = 100.0, 0.2  # the stand-in keeps every row, object and task in memory


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str


def of_person(chatter: Chatter) -> Iterator[Check]:
    """A person's messages against the conversations, the tabs and the Telegram chat."""
    sent = [entry for entry in chatter.ledger.sent.values() if entry.accepted]
    rows = chatter.history() if chatter.client is not None else []
    asked = Counter(token_of(entry) for entry in rows if entry["role"] == "user")
    answers = {str(entry.get("replyTo")): entry for entry in rows if entry["role"] == "assistant"}
    echoed = Counter(str(entry.get("replyTo")) for entry in rows if entry["role"] == "assistant")
    lost = [entry.id for entry in sent if asked[entry.token] == 0 or entry.id not in answers]
    yield Check("no accepted message is lost", not lost, f"{len(lost)} of {len(sent)} lost")
    twice = [entry.id for entry in sent if asked[entry.token] > 1 or echoed[entry.id] > 1]
    twice += [message for (_, message), count in chatter.ledger.finals.items() if count > 1]
    yield Check("none is answered twice", not twice, f"{len(twice)} twice")
    wrong = [e.id for e in sent if e.id in answers and str(answers[e.id]["content"]).count(ECHO + e.token) != 1]
    yield Check("each answer is the answer to its message, whole", not wrong, f"{len(wrong)} wrong: {wrong[:3]}")
    for channel, conversation in sorted({(e.channel, e.conversation) for e in sent}):
        here = [e for e in sent if (e.channel, e.conversation) == (channel, conversation) and e.id in answers]
        order = [int(str(answers[e.id]["createdAt"])) for e in here]
        late = sum(1 for before, after in pairwise(order) if before > after)
        yield Check(
            "answers come in the order of the messages of their conversation", late == 0, f"{late} out of order"
        )
    texts = Counter(token for text in chatter.telegram_texts() for token in _echoes(text))
    there = [entry for entry in sent if entry.channel == "telegram"]
    odd = [entry.id for entry in there if texts[entry.token] != 1]
    yield Check("each Telegram message is answered once in its chat", not odd, f"{len(odd)} of {len(there)} not once")


def token_of(entry: dict[str, Any]) -> str:
    return str(entry["content"]).rpartition(" and echo ")[2]


def _echoes(text: str) -> list[str]:
    return [part[:12] for part in text.split(ECHO)[1:]]


def of_tables(stack: Stack) -> Iterator[Check]:
    """Rows that must not be left."""
    client = dynamodb(stack)

    def rows(noun: str) -> list[dict[str, Any]]:
        pages = client.get_paginator("scan").paginate(TableName=table(noun))
        return [item for page in pages for item in page["Items"]]

    inbox = Counter(item["status"]["S"] for item in rows("PendingMessages"))
    unfinished = sum(count for status, count in inbox.items() if status != "done")
    yield Check("every row of the inbox is done", unfinished == 0, f"{dict(inbox)}")
    sockets = [r for r in rows("Connections") if not r["connectionId"]["S"].startswith("ticket#")]
    yield Check("no connection row is left", not sockets, f"{len(sockets)} left")
    active = [item for item in rows("TaskState") if "active" in item]
    yield Check("no task row is active", not active, f"{len(active)} active")


def of_processes(folder: Path) -> Check:
    """Checks that no process works in a task's folder after the end."""
    left = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if Path(where).is_relative_to(folder):
            left.append(entry.name)
    return Check("no process of a task is left", not left, f"{len(left)} left")


def of_memory(samples: list[Sample], messages: int) -> Iterator[Check]:
    """The second half of the run against its end; the first half fills caches and starts instances."""
    if len(samples) < 8:
        yield Check("memory was watched", False, f"only {len(samples)} samples")
        return
    middle, last = samples[len(samples) // 2 : len(samples) // 2 + 4], samples[-4:]
    parts: dict[str, Callable[[Sample], float]] = {
        "the API does not grow": lambda sample: sample.api,
        "the function instances do not grow": lambda sample: sample.functions / sample.instances,
    }
    for name, size in parts.items():
        grown = median(size(sample) for sample in last) - median(size(sample) for sample in middle)
        yield Check(name, grown < GROWTH_MB, f"{grown:+.1f} MB in the second half")
    grown = last[-1].cloud - middle[0].cloud
    enough = grown < CLOUD_MB_PER_MESSAGE * messages / 2 + CLOUD_GROWTH_MB
    about = f"{grown:+.0f} MB in the second half, {messages} messages in all"
    yield Check("the AWS stand-in grows by what it keeps only", enough, about)


def merged(checks: list[Check]) -> list[Check]:
    """One line for a promise that was checked for many people: what failed, or the count."""
    names = dict.fromkeys(check.name for check in checks)
    lines = []
    for name in names:
        same = [check for check in checks if check.name == name]
        failed = [check.detail for check in same if not check.ok]
        about = "; ".join(failed[:3]) if failed else (same[0].detail if len(same) == 1 else f"{len(same)} checked")
        lines.append(Check(name, not failed, about))
    return lines
