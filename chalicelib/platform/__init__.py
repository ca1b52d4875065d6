"""What everything stands on: AWS clients, tables, settings, secrets, time, logs and metrics."""
