"""What an error of `requests` says about a call."""

import requests
import urllib3.exceptions


def unopened(error: Exception) -> bool:
    """Whether there was no connection, so that nothing was sent."""
    cause = error.args[0] if error.args else None
    refused = isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)
    return isinstance(error, requests.ConnectTimeout) or refused
