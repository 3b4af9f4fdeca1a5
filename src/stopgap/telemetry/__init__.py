"""What the server says of itself: logs, metrics and traces.

May import `settings`, `errors` and `clock` only.
"""
