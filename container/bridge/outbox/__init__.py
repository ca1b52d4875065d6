"""The way out: what the agent says outside an answer, when it must wake, and whether it is at rest."""
