"""PROMISE: what the client was promised, and all that follows from it.

Pure: no framework, no database. Only `loading` reads files, which it imports; only `conformance`
uses the network: it calls a live server as its client would. May import `settings`, `errors` and
`clock` only.
"""
