"""The gateway between people and their agents: services behind the Chalice handlers."""
