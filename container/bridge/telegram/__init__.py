"""An answer's way into a Telegram chat: progress, formatting and files."""
