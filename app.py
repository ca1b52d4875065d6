"""The Chalice application: which function answers what. The work is in chalicelib."""

import os
from typing import Any

from chalice import Chalice, Rate
from chalice.app import CloudWatchEvent, WebsocketEvent

from chalicelib import (
    attachment_routes,
    file_routes,
    handlers,
    health_routes,
    hook_routes,
    mcp_routes,
    memory_routes,
    note_routes,
    people_routes,
    skill_routes,
    status_routes,
)
from chalicelib.rest import routes

app = Chalice(app_name="serverless-openclaw")
app.experimental_feature_flags.update(["WEBSOCKETS"])
app.register_blueprint(routes)
app.register_blueprint(hook_routes.routes)
app.register_blueprint(memory_routes.routes)
app.register_blueprint(attachment_routes.routes)
app.register_blueprint(file_routes.routes)
app.register_blueprint(status_routes.routes)
app.register_blueprint(note_routes.routes)
app.register_blueprint(people_routes.routes)
app.register_blueprint(health_routes.routes)
app.register_blueprint(skill_routes.routes)
app.register_blueprint(mcp_routes.routes)


@app.on_ws_connect()
def websocket_connect(event: WebsocketEvent) -> dict[str, Any]:
    return handlers.connect(event.to_dict())


@app.on_ws_message()
def websocket_message(event: WebsocketEvent) -> dict[str, Any]:
    return handlers.message(event.to_dict())


@app.on_ws_disconnect()
def websocket_disconnect(event: WebsocketEvent) -> dict[str, Any]:
    return handlers.disconnect(event.to_dict())


# The end of a task of this stage's cluster; the account may have others.
OURS = f":cluster/serverless-openclaw-{os.environ.get('STAGE', 'dev')}"
STOPPED = {"lastStatus": ["STOPPED"], "clusterArn": [{"suffix": OURS}]}


@app.on_cw_event({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": STOPPED})
def task_stopped(event: CloudWatchEvent) -> None:
    handlers.task_stopped(event.to_dict())


def prewarm(event: Any, context: Any = None) -> None:
    handlers.prewarm()


# One function per cron (UTC), the first one named `prewarm`; without any, a function nothing calls.
CRONS = [cron.strip() for cron in os.environ.get("PREWARM_CRONS", "").split(";") if cron.strip()]
for number, cron in enumerate(CRONS):
    app.schedule(f"cron({cron})", name="prewarm" if number == 0 else f"prewarm_{number + 1}")(prewarm)
if not CRONS:
    app.lambda_function(name="prewarm")(prewarm)


@app.lambda_function()
def wake(event: Any, context: Any = None) -> None:
    handlers.wake(event)


@app.lambda_function()
def first_words(event: Any, context: Any = None) -> None:
    handlers.first_words(event)


@app.schedule(Rate(5, unit=Rate.MINUTES))
def watchdog(event: CloudWatchEvent) -> None:
    handlers.watchdog()
