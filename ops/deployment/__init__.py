"""What `make deploy` is made of: build, settings, checks, templates and stacks."""
