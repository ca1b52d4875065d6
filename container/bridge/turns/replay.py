"""What a tab that comes late, or that missed something, is told of a run."""

from typing import Any

from bridge.turns.delivery import Run, card_frame, step_frame, thought_frame
from bridge.turns.splitting import split

Json = dict[str, Any]


def replay(run: Run, last_seq: int, run_id: str | None = None) -> list[Json]:
    """What a tab that saw last_seq chunks of a run, by that id, has missed; in as few frames as fit."""
    with run.lock:
        frames = [step_frame(run, step) for step in run.work.steps()] if run.end is None else []
        frames += [thought_frame(run)] if run.end is None and run.thought else []
        frames += [card_frame(run)] if run.end is None and run.card.shown else []
        first = min(last_seq if run_id in (run.run_id, None) else 0, run.seq) + 1
        while first <= run.seq:
            last = first
            while last < run.seq and len(split(run.sent[run.marks[first - 1] : run.marks[last + 1]])) == 1:
                last += 1
            frames.append(run.chunk(first, last))
            first = last + 1
        return [*frames, run.end] if run.end is not None else frames
