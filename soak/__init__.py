"""The soak: what `make test` holds in short, in full length, and power cuts; `make soak`."""
