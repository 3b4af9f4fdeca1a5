"""Whether a model keeps the contract, found out before any client can be answered by it."""
