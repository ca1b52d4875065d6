"""Telegram as the gateway sees it: the webhook, its commands, rows and texts, and the Bot API."""
