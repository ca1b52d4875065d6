"""A user's agent: the state machine of its task, ECS, and the hours in which it is used."""
