"""Makes the parts of one task and connects them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.attachments.intake import Intake
from bridge.config import Config
from bridge.console.consoles import Consoles
from bridge.files.fetching import Fetcher
from bridge.files.shelf import Shelf
from bridge.life import rooms
from bridge.life.announcer import Announcer
from bridge.life.arrivals import Arrivals
from bridge.life.gate import Gate
from bridge.life.heartbeats import Heartbeats, each_beat
from bridge.memory.changing import Changing
from bridge.memory.edits import MemoryEdits
from bridge.memory.errands import Chores
from bridge.memory.manifest import Entries
from bridge.memory.memory import Memory
from bridge.memory.skills import SkillWishes
from bridge.memory.snapshots import Snapshots
from bridge.openclaw.gateway import Gateway
from bridge.openclaw.process import OpenClaw
from bridge.openclaw.skills import OpenClawSkills
from bridge.openclaw.suspension import suspended
from bridge.outbox.push import Push
from bridge.outbox.push_service import PushService
from bridge.outbox.way_out import WayOut
from bridge.provider.budget import Budget
from bridge.provider.hearing import Hearing
from bridge.provider.speaking import Speaking
from bridge.questions.asked import Asked
from bridge.requested.requested import Requested
from bridge.telegram.asking import Asking
from bridge.telegram.blocked import BLOCKED_NOTE
from bridge.telegram.channel import Telegram
from bridge.turns.answering import Answering
from bridge.turns.attached import Attached
from bridge.turns.budgeted import Budgeted
from bridge.turns.choices import Choices
from bridge.turns.claims import Identity
from bridge.turns.commanded import Commanded
from bridge.turns.continuing import Continuing
from bridge.turns.delivery import Delivery
from bridge.turns.filed import Filed
from bridge.turns.guarded import Guarded
from bridge.turns.listening import Listening
from bridge.turns.own_models import OwnModels
from bridge.turns.quiet import Quiet
from bridge.turns.reactions import Reactions
from bridge.turns.remembering import remembering
from bridge.turns.titles import Titled, Titles
from bridge.turns.user_settings import UserSettings
from bridge.turns.voiced import Voiced
from bridge.turns.worker import Turns
from chalicelib.agents.tasks import Tasks
from chalicelib.messages.attachments import kept, load
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.providers.routes import small_model
from chalicelib.wire.connections import Connections


@dataclass(frozen=True)
class Parts:
    """All that works for one user. Nothing of it runs yet."""

    tasks: Tasks
    inbox: Inbox
    choices: Choices
    user_settings: UserSettings
    telegram: Telegram
    memory: Memory
    chores: Chores
    edits: MemoryEdits
    skills: SkillWishes
    turns: Turns
    out: WayOut
    asked: Asked
    reactions: Reactions
    own_models: OwnModels
    announcer: Announcer
    heartbeats: Heartbeats
    consoles: Consoles
    requested: Requested


def assemble(config: Config, stop: threading.Event, openclaw: OpenClaw, budget: Budget) -> Parts:
    """The parts of a task; `stop` ends it."""
    user, generation = config.user_id, config.generation
    tasks, inbox, delivery = Tasks(), _inbox(config), Delivery(user, Connections())
    choices = Choices(user)
    telegram = Telegram(user, config.telegram_token, config.telegram_url, config.data_bucket)
    announcer = Announcer((user, generation, config.task_arn), tasks, delivery, telegram, stop)
    memory = _memory(config, tasks, openclaw)
    memory.on_saved = lambda: delivery.everyone({"type": "saved"})
    out = _way_out(config, openclaw, delivery, telegram, choices)
    out.on_work = memory.turn_ended
    telegram.on_blocked = lambda: _blocked(delivery)
    asked = Asked((user, generation), delivery, Asking(telegram.api, telegram.place_of), choices.expires_at)
    _also_hears(openclaw, asked)
    asked.on_asked = out.asks
    out.forgets(memory.forgotten)
    budget.serve(user, lambda: choices.current, announcer.warn)
    shelf = _shelf(config, choices)
    out.stores(shelf)
    own_models = OwnModels(user, Conversations(), [route.id for route in config.routes], announcer.warn)
    answerer, reactions = remembering(config, openclaw, inbox, (choices.model, own_models.of), memory)
    answerer.asks_person(asked.waits_in)
    budgeted = _budgeted(config, answerer, shelf, openclaw, budget, choices)
    continuing = Continuing(budgeted, lambda message: inbox.get(message.user_id, message.id))
    gates = Guarded(Commanded(_titled(config, continuing, openclaw, delivery, choices)), memory, openclaw)
    channels = _listening(config, openclaw, inbox, delivery, telegram)
    ended = _turn_ended(out, memory, Arrivals(user, generation, tasks, choices))
    turns = Turns(Identity(user, generation), inbox, Conversations(), delivery, gates, channels, ended)
    turns.expect, turns.on_lost = budgeted.expect, stop.set
    turns.replies = asked
    turns.means.expires_at, turns.means.tell = choices.expires_at, out.tell
    out.background.on_message = turns.wake
    chores = Chores(user, memory, openclaw.replace_files, delivery.everyone)
    edits, skills = MemoryEdits(user, memory, delivery.everyone), _skills(config, memory, openclaw, delivery)
    memory.on_changed = _changed(config, memory, edits, skills)
    heartbeats = Heartbeats((user, generation), (tasks, inbox), (openclaw, memory, turns, out), stop)
    heartbeats.also = each_beat(asked.beat, edits.poll, skills.poll)
    both = rooms.connected(config, openclaw, (memory, skills, heartbeats, out), (delivery, shelf, choices))
    kept = memory, chores, edits, skills, turns, out, asked, reactions, own_models, announcer, heartbeats
    return Parts(tasks, inbox, choices, UserSettings(choices, openclaw, telegram), telegram, *kept, *both)


def _changed(
    config: Config, memory: Memory, edits: MemoryEdits, skills: SkillWishes
) -> Callable[[Entries, Entries], None]:
    changing = Changing(config.user_id, config.generation, memory.snapshots.objects, edits.texts)

    def saved(before: Entries, after: Entries) -> None:
        changing.saved(before, after)
        skills.saved(before, after)

    return saved


def _skills(config: Config, memory: Memory, openclaw: OpenClaw, delivery: Delivery) -> SkillWishes:
    known = OpenClawSkills(lambda: openclaw.gateway, config.state_dir / "workspace")
    identity = config.user_id, config.generation
    return SkillWishes(identity, memory, known.listed, known.switch, delivery.everyone)


def _inbox(config: Config) -> Inbox:
    return Gate() if config.suspend_seconds else Inbox()


def _turn_ended(out: WayOut, memory: Memory, arrivals: Arrivals) -> Callable[[Message], None]:
    def ended(message: Message) -> None:
        out.turn([message])
        memory.turn_ended()
        arrivals.turn_ended(message)

    return ended


def _budgeted(
    config: Config, answerer: Answering, shelf: Shelf, openclaw: OpenClaw, budget: Budget, choices: Choices
) -> Budgeted:
    """A message passes the budget; its files are taken in; it is answered; its files are stored; it is spoken."""
    filed = Filed(answerer, shelf, lambda: openclaw.gateway)
    speaking = Speaking(config.routes, openclaw.proxy_url, config.proxy_token)
    return Budgeted(Voiced(Attached(Quiet(filed), _intake(config)), shelf, speaking, choices.voice_answers), budget)


def _also_hears(openclaw: OpenClaw, asked: Asked) -> None:
    """Beside the outbox, which hears of everything too."""
    heard, connected = openclaw.on_event, openclaw.on_connected

    def hear(event: dict[str, Any]) -> None:
        heard(event)
        asked.hear(event)

    def connect(gateway: Gateway) -> None:
        connected(gateway)
        asked.connected(gateway)

    openclaw.on_event, openclaw.on_connected = hear, connect


def _blocked(delivery: Delivery) -> None:
    delivery.refresh()
    delivery.everyone({"type": "notice", "code": "TELEGRAM_BLOCKED", "message": BLOCKED_NOTE})


def _shelf(config: Config, choices: Choices) -> Shelf:
    workspace = config.state_dir / "workspace"
    fetcher = Fetcher(f"http://127.0.0.1:{config.gateway_port}", workspace, config.agent)
    return Shelf(config.user_id, config.data_bucket, fetcher, lambda: choices.current.retention_days)


def _memory(config: Config, tasks: Tasks, openclaw: OpenClaw) -> Memory:
    snapshots = Snapshots(config.data_bucket, config.user_id, config.generation, config.agent)

    def renew() -> object:
        """The restore takes longer than a heartbeat: show that the task lives."""
        return tasks.heartbeat(config.user_id, config.generation)

    kept = config.state_dir, config.agent, renew, config.backup_seconds
    return Memory(snapshots, *kept, clear=openclaw.drop, fence=lambda: suspended(openclaw))


def _listening(config: Config, openclaw: OpenClaw, inbox: Inbox, delivery: Delivery, telegram: Telegram) -> Listening:
    def keep(message: Message) -> None:
        inbox.heard(message, config.generation, [kept(entry) for entry in message.attachments])

    def show(frame: dict[str, Any]) -> None:
        delivery.refresh()
        delivery.everyone(frame)

    hearing = Hearing(config.routes, openclaw.proxy_url, config.proxy_token)
    return Listening(telegram, hearing, lambda entry: load(entry, config.data_bucket), keep, show)


def _intake(config: Config) -> Intake:
    return Intake(config.agent, config.state_dir, lambda entry: load(entry, config.data_bucket))


def _way_out(config: Config, openclaw: OpenClaw, delivery: Delivery, telegram: Telegram, choices: Choices) -> WayOut:
    service = PushService(config.secrets.get, config.push_local_url)
    push = Push(config.user_id, delivery, service, lambda: choices.current.push_text)
    shown = delivery, telegram, push, choices.expires_at
    rest = config.rest_seconds
    return WayOut(config.user_id, config.generation, openclaw, *shown, rest, lambda: choices.current)


def _titled(config: Config, inner: Answering, openclaw: OpenClaw, delivery: Delivery, choices: Choices) -> Titled:
    small = small_model(config.routes, config.model)
    show = delivery.everyone
    return Titled(inner, Titles(small, Conversations(), lambda: openclaw.gateway, show, choices.auto_title))
