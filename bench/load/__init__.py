"""Many people on one local stack while their containers are killed: `make load`."""
