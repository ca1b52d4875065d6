"""What a page asks of the running agent, outside any conversation."""
