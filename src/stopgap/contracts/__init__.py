"""PROMISE: what the client was promised, and all that follows from it.

Pure: no framework, no database, no file, no network but in `conformance`, which calls a live
server as its client would. May import `settings`, `errors` and `clock` only.
"""
