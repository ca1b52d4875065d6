"""Files that the agent gives to its person: found in the transcript, fetched, and stored."""
