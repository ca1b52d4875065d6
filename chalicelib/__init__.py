"""The gateway between users and their agents: the Chalice handlers and their services."""
