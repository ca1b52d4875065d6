"""The parts of a task that serve the page's rooms: OpenClaw's own console, and what they ask of the running agent."""

from typing import Any

from bridge.config import Config
from bridge.console.consoles import Consoles
from bridge.console.noted import Noted
from bridge.console.written import WORD, Written
from bridge.files.shelf import Shelf
from bridge.life.heartbeats import Heartbeats
from bridge.memory.memory import Memory
from bridge.memory.skills import SkillWishes
from bridge.openclaw.process import OpenClaw
from bridge.outbox.way_out import WayOut
from bridge.requested.hub import Hub
from bridge.requested.recall import recall
from bridge.requested.requested import Requested
from bridge.turns.choices import Choices
from bridge.turns.delivery import Delivery
from chalicelib.wire.connections import Post
from chalicelib.wire.requests import DETAIL, INSTALL, MEMORY, SEARCH

Works = tuple[Memory, SkillWishes, Heartbeats, WayOut]
Shown = tuple[Delivery, Shelf, Choices]


def connected(config: Config, openclaw: OpenClaw, works: Works, shown: Shown) -> tuple[Consoles, Requested]:
    """Made and connected with the other parts. A person who uses them keeps the agent awake."""
    memory, skills, heartbeats, out = works
    delivery, shelf, choices = shown
    found, asked = consoles(config, memory), requested(openclaw, memory, skills)
    heartbeats.used = lambda: found.used() or asked.used()
    said = written(config, found, out, delivery, choices)
    said.shelf, said.on_kept = shelf, memory.turn_ended
    hears(openclaw, said)
    return found, asked


def consoles(config: Config, memory: Memory) -> Consoles:
    """What a person changes in the Control UI is saved."""
    found = Consoles(config, Post())
    found.on_used = memory.turn_ended
    return found


def requested(openclaw: OpenClaw, memory: Memory, skills: SkillWishes) -> Requested:
    """What the page's rooms ask of the running agent."""
    hub, kept = Hub(skills.show, memory.turn_ended), memory.on_kept

    def on_kept() -> None:
        kept()
        hub.saved(memory.snapshots.known.entries)

    memory.on_kept = on_kept
    works = {MEMORY: recall, SEARCH: hub.search, DETAIL: hub.detail, INSTALL: hub.install}
    return Requested(lambda: openclaw.gateway, works, Post())


def written(config: Config, consoles: Consoles, out: WayOut, delivery: Delivery, choices: Choices) -> Written:
    """What is said there becomes rows of our history, on the thread of the outbox."""
    noted = Noted(config.user_id, out.conversation)
    found = Written(noted, delivery, choices.expires_at, lambda: out.ask(WORD))
    consoles.note = noted.note
    out.also(WORD, found.look)
    return found


def hears(openclaw: OpenClaw, console: Written) -> None:
    """Beside the outbox and the turns, which hear of everything too."""
    heard, stray = openclaw.on_event, openclaw.on_stray

    def hear(event: dict[str, Any]) -> None:
        heard(event)
        console.hear(event)

    def strayed(event: dict[str, Any]) -> None:
        stray(event)
        console.stray(event)

    openclaw.on_event, openclaw.on_stray = hear, strayed
