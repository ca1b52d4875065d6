"""What the agent keeps between containers: what is packed, the archive, and snapshots in S3."""
