"""The user's settings on their way to OpenClaw, and the one question for a time zone in Telegram."""

import contextlib
import threading

from bridge.openclaw.config import heartbeat
from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.openclaw.process import OpenClaw
from bridge.telegram.channel import Telegram
from bridge.turns.choices import Choices
from chalicelib.telegram.texts import ASK_TIME_ZONE


class UserSettings:
    """OpenClaw starts with the zone and the heartbeat of the settings; what changes later follows without a restart."""

    def __init__(self, choices: Choices, openclaw: OpenClaw, telegram: Telegram) -> None:
        self._choices = choices
        self._openclaw = openclaw
        self._telegram = telegram
        openclaw.zone, openclaw.permission = choices.zone, choices.permission_mode
        openclaw.heartbeat = lambda: heartbeat(choices.current)
        telegram.on_answered = self._ask

    def follow(self) -> None:
        """Tell a running OpenClaw if the settings have changed. Does not block."""
        threading.Thread(target=self._tell, name="settings", daemon=True).start()

    def _tell(self) -> None:
        with contextlib.suppress(GatewayError, GatewayClosed):  # logged; it is told before the next message
            self._openclaw.follow_settings()

    def _ask(self) -> None:
        """After an answer in Telegram: who has no time zone is asked for it, once."""
        if self._choices.may_ask_zone():
            self._telegram.say(ASK_TIME_ZONE)
