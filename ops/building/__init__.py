"""The agent's image built and run on this machine, with Debian's buildah and podman or with docker."""
