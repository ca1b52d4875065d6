"""OpenClaw's questions and approvals as ours, and the answers as OpenClaw takes them (2026.9.1)."""

from typing import Any

from chalicelib.messages.message import Message
from chalicelib.messages.questions import APPROVAL, QUESTION, Question, question_id
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE

Json = dict[str, Any]
Answers = dict[str, list[str]]
# The longest that a container waits for a person, whatever the model asked for: waiting costs as much as working.
LONGEST = 15 * MINUTE
# What fits a card, a Telegram message and a frame; OpenClaw's own limit on a label is 64.
LABEL, HEADER, TEXT, DESCRIPTION, COMMAND = 64, 40, 1_500, 200, 8_000
DECISION = "decision"
ALLOW_ONCE, ALLOW_ALWAYS, DENY = "allow-once", "allow-always", "deny"
DECISIONS = (ALLOW_ONCE, ALLOW_ALWAYS, DENY)
WEB = "agent:main:web-"
HOOK = "hook"


def session_of(record: Json) -> str:
    request = record.get("request")
    return str(record.get("sessionKey") or (request.get("sessionKey") if isinstance(request, dict) else "") or "")


def read(kind: str, record: Json, user: tuple[str, int], conversation: str) -> Question | None:
    """A `question.requested` or `exec.approval.requested` of the gateway; None for one that nobody can answer here.

    `user`: the user's id and the container's generation.
    """
    try:
        return _read(kind, record, user, conversation)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.failure("question_malformed", error, kind=kind)
        return None


def _read(kind: str, record: Json, user: tuple[str, int], conversation: str) -> Question | None:
    parts = _questions(record) if kind == QUESTION else _decisions(record)
    gateway_id = record.get("id")
    if not parts or not isinstance(gateway_id, str):
        return None
    at = int(record.get("createdAtMs") or 0)
    until = min(int(record.get("expiresAtMs") or 0), at + LONGEST)
    about = _about(record.get("request") or {}) if kind == APPROVAL else {}
    name = question_id(gateway_id)
    return Question(user[0], name, conversation, gateway_id, kind, parts, at, until, user[1], about)


def _questions(record: Json) -> list[Json]:
    """None of a secret: the person would write a credential into a chat."""
    given = [one for one in record.get("questions") or [] if isinstance(one, dict)]
    if any(one.get("isSecret") for one in given):
        return []
    return [
        {
            "id": str(one["questionId"]),
            "header": str(one.get("header") or "")[:HEADER],
            "text": str(one.get("question") or "")[:TEXT],
            "options": [_option(option) for option in one.get("options") or []],
            "multi": one.get("multiSelect") is True,
            "other": one.get("isOther") is True or not one.get("options"),
        }
        for one in given
    ]


def _option(option: Json) -> Json:
    description = str(option.get("description") or "")[:DESCRIPTION]
    return {"label": str(option["label"])[:LABEL]} | ({"description": description} if description else {})


def _decisions(record: Json) -> list[Json]:
    allowed = (record.get("request") or {}).get("allowedDecisions") or DECISIONS
    options = [{"label": name} for name in DECISIONS if name in allowed]
    return [{"id": DECISION, "header": "", "text": "", "options": options, "multi": False, "other": False}]


def _about(request: Json) -> Json:
    """OpenClaw refuses a command that is too long to be shown whole (16 KB)."""
    found = {
        "command": str(request.get("command") or "")[:COMMAND],
        "directory": str(request.get("cwd") or "")[:TEXT],
        "warning": "; ".join(_warnings(request))[:TEXT],
    }
    if len(str(request.get("command") or "")) > COMMAND:
        found["command"] += "\n… (cut: do not allow what you cannot read)"
    return {name: value for name, value in found.items() if value}


def _warnings(request: Json) -> list[str]:
    analysis = request.get("commandAnalysis")
    lines = analysis.get("warningLines") if isinstance(analysis, dict) else None
    own = str(request.get("warningText") or "")
    return [line for line in [own, *(str(one) for one in lines or [])] if line]


def resolution(question: Question) -> tuple[str, Json]:
    """The gateway's method and parameters for a person's choice; no answers: withdrawn or refused."""
    if question.kind == APPROVAL:
        decision = (question.answers.get(DECISION) or [DENY])[0]
        return "exec.approval.resolve", {"id": question.gateway_id, "decision": decision}
    if not question.answers:
        return withdrawal(question.kind, question.gateway_id, question.by or "bridge")
    answers = {"answers": question.answers}
    return "question.resolve", {"id": question.gateway_id, "answers": answers, "resolvedBy": question.by}


def withdrawal(kind: str, gateway_id: str, by: str) -> tuple[str, Json]:
    """The gateway's method and parameters that end a question without an answer, and refuse an approval."""
    if kind == APPROVAL:
        return "exec.approval.resolve", {"id": gateway_id, "decision": DENY}
    return "question.resolve", {"id": gateway_id, "cancel": True, "resolvedBy": by}


def same(answers: Answers, chosen: Answers) -> bool:
    """Whether OpenClaw tells of the answers that it was given. It takes the spaces around them away."""
    return _stripped(answers) == _stripped(chosen)


def _stripped(answers: Answers) -> Answers:
    return {name: [str(value).strip() for value in values] for name, values in answers.items()}


def is_reply(message: Message) -> bool:
    """Whether a message can be a written answer: a person's plain text. What a program or the system wrote is none."""
    text, commands = message.text.strip(), message.text.startswith("/")
    written = message.cause is None and message.channel != HOOK
    return written and bool(text) and not commands and not message.attachments


def answers_of(text: str, parts: list[Json]) -> dict[str, list[str]]:
    """A written reply as answers: a number or a label is that option, anything else the person's own words.

    Several questions are answered line by line; what no line answers gets the whole text.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(parts) == 1:
        return {parts[0]["id"]: _chosen(text.strip(), parts[0])}
    keyed = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines) if value}
    answers = {}
    for number, part in enumerate(parts):
        own = keyed.get(part["id"].lower()) or keyed.get(part["header"].lower()) or keyed.get(str(number + 1))
        by_place = lines[number] if len(lines) == len(parts) else text.strip()
        answers[part["id"]] = _chosen(own or by_place, part)
    return answers


def _chosen(text: str, part: Json) -> list[str]:
    labels = [option["label"] for option in part["options"]]
    whole = _label(text, labels)
    if whole is not None or not part["multi"]:
        return [whole or text]
    several = [_label(piece.strip(), labels) for piece in text.replace(";", ",").split(",") if piece.strip()]
    return list(dict.fromkeys(label for label in several if label)) if several and all(several) else [text]


def _label(text: str, labels: list[str]) -> str | None:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:3]) <= len(labels):
        return labels[int(text[:3]) - 1]
    return next((label for label in labels if label.lower() == text.lower()), None)
