"""The life of one task: its parts, its heartbeats, and what it tells about itself."""
