"""Measures what requirements.md promises: `make bench`, `make load`, `python -m bench.simulate`."""
