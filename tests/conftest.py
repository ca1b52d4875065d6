"""Fixtures shared by all tests. Nothing here starts a process; the folders' own conftests do."""

import os

# Models read their stage when they are imported; no test may reach real AWS.
os.environ["STAGE"] = "test"
os.environ["AWS_REGION"] = "us-east-1"
os.environ["AWS_ACCESS_KEY_ID"] = "test"
os.environ["AWS_SECRET_ACCESS_KEY"] = "test"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
