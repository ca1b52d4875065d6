"""What a person waits for when their agent sleeps: with first words and without, in turn, for a returning user.

The model takes 300 ms to its first token. Fargate's own time is not in it: on AWS the agent's words come half a
minute later, and the first words do not.
"""

import time

from bench import stack as stacks
from bench.registry import Options
from bench.rows import Row, row
from bench.stack import Tab, Timed, end_tasks
from bench.stamps import stamps

SECTION = "firstwords"
TEXT = "after 300 ms"


def run(options: Options) -> list[Row]:
    first: list[float] = []
    agent: dict[bool, list[float]] = {True: [], False: []}
    with stacks.running(options.folder / "real", FIRST_WORDS="true") as (stack, _):
        tab = Tab(stack)
        tab.turn(TEXT)  # so that there is a memory
        end_tasks(stack)
        for _ in range(options.runs(10, 1)):
            for on in (False, True):
                tab.rest("PUT", "/settings", {"firstWords": on})
                tab.reopen()
                begun, frames = tab.turn(TEXT)
                agent[on].append(own_words(frames, before=2 if on else 0) - begun)
                if on:
                    first.append(first_words(frames) - begun)
                end_tasks(stack)
                time.sleep(0.5)
        tab.close()
    return [
        row(SECTION, "message until the first words in the tab", "s", first, "first-words"),
        row(SECTION, "message until the agent's own first words, with first words before", "s", agent[True]),
        row(SECTION, "message until the agent's own first words, without", "s", agent[False]),
    ]


def own_words(frames: list[Timed], before: int) -> float:
    """When the agent's first word came. The model stamps its first and last word, so first words have two stamps."""
    text = ""
    for at, frame in frames:
        text += frame["content"] if frame["type"] == "stream_chunk" else ""
        if len(stamps(text)) > before:
            return at
    raise RuntimeError("the agent said nothing")


def first_words(frames: list[Timed]) -> float:
    return next(at for at, frame in frames if frame["type"] == "first_words" and frame["text"])
