"""The Bridge: takes messages from the inbox, has OpenClaw answer them, delivers the answers."""
