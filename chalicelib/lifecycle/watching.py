"""Follows a start or a resume until the agent has a socket: a socket's end is all that tells of a MicroVM's end.

Whoever starts or resumes a machine asks the function `wake` for it, without waiting. What that function does not see,
because it was not asked or because its time is over, the watchdog finds.
"""

import json

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.platform import aws, log
from chalicelib.platform.settings import stage

# In seconds, one look in each. The function may take 60; a machine's socket is open after 4, a resumed one's after 1,
# and one that cannot use AWS gives up after 20.
FOLLOWED = 45


def ask(user_id: str, generation: int) -> None:
    """Without it the machine runs all the same: failures are logged."""
    event = {"userId": user_id, "generation": generation}
    name = f"serverless-openclaw-{stage()}-wake"
    try:
        aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    except (ClientError, BotoCoreError) as error:
        log.failure("start_not_followed", error, user=user_id, generation=generation)
