"""Answers from the model directly while no agent is awake. Only the function `first_words` imports this."""
