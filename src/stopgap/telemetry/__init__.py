"""What the server says of itself: logs now, metrics and traces in rooms of their own.

May import `settings`, `errors` and `clock` only.
"""
