"""What a person attaches: placed for the agent's tools, and read into text for the model."""
