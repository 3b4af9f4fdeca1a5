"""The servers that are measured: each is one file, run in an environment of its own.

All answer the same question: sellers, month, visitors in, all three validated; a random integer
out. Each in the way that its own documentation shows, with nothing of Stopgap's.
"""
