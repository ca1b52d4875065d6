"""A question of the agent as a Telegram message with buttons. The Bridge sends it, the webhook hears the buttons.

A button's data is `q:<question>:<part>:<option>`, 30 of the 64 bytes that Telegram allows. Several parts are asked
one after the other; options of a multiple choice are ticked until "Done" is pressed.
"""

import re
from dataclasses import dataclass
from typing import Any

from chalicelib.messages.questions import ANSWERED, APPROVAL, CANCELLED, CHOSEN, CLOSED_TEXT, EXPIRED, GONE, Question

Json = dict[str, Any]
DONE, SKIP = "d", "s"
_DATA = re.compile(r"q:(q[0-9a-f]{20}):(\d):(\d|d|s)")
LIMIT = 3_500  # characters: under Telegram's 4,096 with what is added at the end
APPROVALS = {"allow-once": "✅ Allow once", "allow-always": "♾️ Always allow this", "deny": "⛔ Do not run it"}
CONSEQUENCE = "It runs in the agent's own container, with the agent's files and the network."
ENDS = {
    CANCELLED: "✖️ Withdrawn.",
    EXPIRED: "⌛ Nobody answered in time, so the agent went on without an answer. You can still write it as a message.",
    GONE: f"⚠️ {CLOSED_TEXT[GONE]}",
}


@dataclass(frozen=True)
class Pressed:
    """A button: of which question and part, and what it says."""

    question: str
    part: int
    value: str


def pressed(data: object) -> Pressed | None:
    match = _DATA.fullmatch(data) if isinstance(data, str) else None
    return Pressed(match[1], int(match[2]), match[3]) if match else None


def current(question: Question) -> int | None:
    """The part that is asked now; None: all have an answer."""
    done = question.picked.get("", [])
    left = [number for number, part in enumerate(question.parts) if part["id"] not in done]
    return left[0] if left else None


def press(question: Question, button: Pressed) -> dict[str, list[str]] | None:
    """What is ticked after a button of the current part; None for a button that is not there (an old keyboard).

    The entry "" names the parts that are finished.
    """
    number = current(question)
    if number is None or button.part != number or button.value == SKIP:
        return None
    part, picked = question.parts[number], {name: list(values) for name, values in question.picked.items()}
    finished, chosen = picked.get("", []), picked.get(part["id"], [])
    if button.value == DONE:
        return picked | {"": [*finished, part["id"]]} if part["multi"] and chosen else None
    if int(button.value) >= len(part["options"]):
        return None
    label = part["options"][int(button.value)]["label"]
    if part["multi"]:
        ticked = [one for one in chosen if one != label] if label in chosen else [*chosen, label]
        return picked | {part["id"]: ticked}
    return picked | {part["id"]: [label], "": [*finished, part["id"]]}


def answers(question: Question) -> dict[str, list[str]]:
    """What was ticked, as answers."""
    return {name: values for name, values in question.picked.items() if name}


def keyboard(question: Question) -> Json | None:
    """The buttons of the part that is asked now, one in a row: a label may have 64 characters."""
    number = current(question)
    if question.state != "open" or number is None:
        return None
    part, ticked = question.parts[number], question.picked.get(question.parts[number]["id"], [])
    rows = [
        [_button(question, number, str(at), _label(question, part, option["label"], ticked))]
        for at, option in enumerate(part["options"])
    ]
    if part["multi"]:
        rows.append([_button(question, number, DONE, "Done" if ticked else "Choose, then press here")])
    if question.kind != APPROVAL:
        rows.append([_button(question, number, SKIP, "Skip: decide yourself")])
    return {"inline_keyboard": rows}


def _label(question: Question, part: Json, label: str, ticked: list[str]) -> str:
    if question.kind == APPROVAL:
        return APPROVALS.get(label, label)
    return f"{'☑' if label in ticked else '☐'} {label}" if part["multi"] else label


def _button(question: Question, number: int, value: str, text: str) -> Json:
    return {"text": text, "callback_data": f"q:{question.id}:{number}:{value}"}


def text(question: Question) -> str:
    """The message: what is asked, and the end of it once there is one."""
    body = _command(question) if question.kind == APPROVAL else _asked(question)
    return f"{body[:LIMIT]}\n\n{end}" if (end := _end(question)) else body[:LIMIT]


def _asked(question: Question) -> str:
    number = current(question)
    several = len(question.parts) > 1
    shown = question.parts if question.state != "open" or number is None else [question.parts[number]]
    lines = [f"❓ {part['header']}: {part['text']}" if several else f"❓ {part['text']}" for part in shown]
    for part in shown if question.state == "open" else []:
        lines += [f"• {one['label']}: {one['description']}" for one in part["options"] if one.get("description")]
        if part["other"]:
            lines.append("Press a button, or write your own answer.")
    return "\n\n".join(lines)


def _command(question: Question) -> str:
    about = question.about
    lines = ["🔐 Your agent asks whether it may run this command:", str(about.get("command", ""))]
    lines += [f"In {about['directory']}. {CONSEQUENCE}" if about.get("directory") else CONSEQUENCE]
    lines += [f"⚠️ {about['warning']}"] if about.get("warning") else []
    return "\n\n".join(lines)


def _end(question: Question) -> str:
    if question.state not in (ANSWERED, CHOSEN):
        return ENDS.get(question.state, "")
    if not question.answers:
        return ENDS[CANCELLED]
    said = [", ".join(APPROVALS.get(one, one) for one in values) for values in question.answers.values()]
    where = {"web": " (on the web page)", "elsewhere": " (elsewhere)"}.get(question.by, "")
    mark = "" if question.kind == APPROVAL else "✅ "
    return f"{mark}{'; '.join(said)}{where}"[:500]
