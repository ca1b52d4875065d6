"""From a message in the inbox to its answer: claiming, conditions, recovery and delivery."""
