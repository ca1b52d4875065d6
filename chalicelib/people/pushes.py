"""Rows `push-owed#<message>` in the Settings table: said, and not yet given to the push services."""

from chalicelib.platform.clock import DAY

OWED = "push-owed#"
KEEP = 7 * DAY
