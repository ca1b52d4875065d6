"""One module a section: `run(options)` gives its rows."""
