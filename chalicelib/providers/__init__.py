"""The model providers, for functions and containers: where they are, what a call costs, what it used."""
