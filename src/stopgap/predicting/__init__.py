"""SERVE: the one way every prediction takes: a validated row in, a guarded answer out, on record.

What answers at once, as stand-ins do, is asked directly (`instant`). What takes its time is awaited
on an event loop (`awaited`), beside others that do.
May import every noun's room, and the floors below them.
"""
