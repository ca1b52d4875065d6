"""Brings messages and agents together: dispatch, prewarming and the watchdog."""
