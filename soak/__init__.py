"""The soak: the full-length versions of what `make test` holds in short. `make soak` runs it."""
