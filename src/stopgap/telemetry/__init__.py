"""What the server says of itself: logs, and metrics.

May import `settings`, `errors` and `clock` only.
"""
