"""One task from start to end."""

import os
import signal
import threading
from collections.abc import Callable, Mapping

from bridge.agent import Agent
from bridge.config import BadConfiguration, Config, load
from bridge.openclaw.loading import Loading
from bridge.openclaw.process import OpenClaw
from bridge.prewarm import Waiting, is_prewarmed
from bridge.provider.budget import Budget
from bridge.provider.proxy import Proxy
from bridge.provider.servers import Servers
from bridge.shared.user import CannotSwitch
from chalicelib.agents.tasks import LeaseLost
from chalicelib.people.shares import Shares
from chalicelib.platform import log
from chalicelib.platform.signals import on_signals
from chalicelib.providers.credentials import Credentials

Lives = Callable[[Agent], None]


def main(loading: Loading | None) -> int:
    """A task of ECS. The exit status."""
    stop = threading.Event()

    def ask(number: int) -> None:
        log.event("signal", number=number)
        stop.set()

    on_signals(ask, signal.SIGTERM, signal.SIGINT)
    return run(loading, os.environ, stop)


def run(
    loading: Loading | None, env: Mapping[str, str], stop: threading.Event, lives: Lives = lambda agent: None
) -> int:
    """The exit status. `loading`: a process that has OpenClaw's modules, or will have them soon."""
    try:
        config = load(env)
        config.agent.check()
        config.agent.own(config.home)
    except (BadConfiguration, CannotSwitch) as error:
        log.event("bad_configuration", reason=str(error))
        return 2
    budget = Budget(shares=Shares())
    servers = Servers(config.secrets)
    proxy = Proxy(config.routes, Credentials(config.secrets), budget, config.proxy_token, servers)
    proxy.start()
    openclaw = OpenClaw(config, proxy.url, loading)
    openclaw.servers = servers.names
    openclaw.not_wanted = stop.is_set
    try:
        return _live(config, stop, openclaw, budget, servers, lives)
    finally:
        proxy.stop()
        budget.settle()


def _live(
    config: Config, stop: threading.Event, openclaw: OpenClaw, budget: Budget, servers: Servers, lives: Lives
) -> int:
    if is_prewarmed(config):
        claimed = _wait_for_user(config, stop, openclaw)
        if claimed is None:
            openclaw.unload()
            openclaw.stop()
            return 0
        config = claimed
    agent = Agent(config, stop, openclaw, budget, servers)
    lives(agent)
    return agent.run()


def _wait_for_user(config: Config, stop: threading.Event, openclaw: OpenClaw) -> Config | None:
    try:
        return Waiting(config, stop, openclaw).wait()
    except LeaseLost:
        log.event("not_our_turn", user=config.user_id, generation=config.generation)
        return None
