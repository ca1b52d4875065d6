"""Small helpers without a wing of their own: the agent's Unix user, sockets, AWS errors."""
