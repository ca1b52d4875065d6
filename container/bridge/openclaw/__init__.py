"""OpenClaw: its process and configuration, the gateway client, events and history."""
