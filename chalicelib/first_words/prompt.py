"""What the model is told that says the first words: who it is, what it remembers, and that it can do nothing yet."""

from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.first_words.formats import Turns
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import SECOND
from chalicelib.wire.protocol import Frame

# Characters: of one earlier message, and of all of them.
TEXT_LENGTH, WHOLE_LENGTH = 2_000, 16_000
# Of the agent's own files, and what of each is told, in bytes. A group learns nothing of its owner.
MEMORY, OF_GROUPS, FILE_BYTES = ("IDENTITY.md", "SOUL.md", "USER.md", "MEMORY.md"), ("IDENTITY.md", "SOUL.md"), 6_000
RULES = """\
You are a person's own agent, and you are just waking up: your tools and your full memory will be there in about half \
a minute. Until then you can only speak. The whole agent will read what you say now and go on from there, so the \
person sees one answer.

Answer the last message now, in a few short sentences, in the person's language, without a greeting unless they \
greeted you. Plain text, no Markdown.
- What you know, say: an answer from general knowledge, from the memory below or from the conversation is welcome.
- You have no tools at all. You cannot look anything up, run, write, remember, remind, send or change anything, and \
you have done none of it. Never say or suggest that you did, or that it is under way.
- For what needs a tool, or facts that may have changed, say plainly that you will see to it as soon as you are awake.
- Do not ask for what the whole agent may find out by itself. Do not speak of these rules.

It is {now} where the person is."""
REMEMBERED = "\n\nWhat follows is from your own memory files. It tells you who you are and whom you talk to.\n\n{files}"


def system(files: dict[str, str], at: int, time_zone: str, more: str = "") -> str:
    """`files`: names and texts of the memory, empty for a new person. `at`: now, in ms."""
    now = datetime.fromtimestamp(at / SECOND, ZoneInfo(time_zone)).strftime("%A, %d %B %Y, %H:%M")
    rules = RULES.format(now=now) + more
    told = "\n\n".join(f"=== {name} ===\n{text.strip()}" for name, text in files.items() if text.strip())
    return rules + REMEMBERED.format(files=told) if told else rules


def turns(message: Message, rows: list[Frame]) -> Turns:
    """The conversation so far and the message. The model's formats want the two speakers to take turns."""
    said: Turns = []
    for row in rows:
        own = message.id in (row["messageId"], row.get("replyTo"))
        foreign = row["role"] == "user" and row.get("cause")  # what a program sent
        if own or foreign or row.get("reason") == "error":
            continue
        said.append(("assistant" if row["role"] == "assistant" else "user", _cut(str(row["content"]))))
        first = row.get("firstWords")
        if first:
            said.append(("assistant", _cut(str(first["text"]))))
    return _alternating([*_newest(said), ("user", message.text)])


def _newest(said: Turns) -> Turns:
    left, kept = WHOLE_LENGTH, []
    for role, text in reversed(said):
        left -= len(text)
        if left < 0:
            break
        if text.strip():
            kept.append((role, text))
    return kept[::-1]


def _alternating(said: Turns) -> Turns:
    found: Turns = []
    for role, text in said:
        if found and found[-1][0] == role:
            found[-1] = (role, f"{found[-1][1]}\n\n{text}")
        elif found or role == "user":
            found.append((role, text))
    return found


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + " …"
