"""A container that dies between what OpenClaw says and what is delivered: still once."""

import json
import time

import pytest

from local.stack import Stack
from tests.integration.outbox.test_wake import reminder
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import eventually
from tests.support.faults import faults
from tests.support.processes import kill

pytestmark = pytest.mark.timeout(200)
