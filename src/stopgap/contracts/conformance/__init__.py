"""Holding any live server against contracts, over real HTTP, the way a client would test it."""
