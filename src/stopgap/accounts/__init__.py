"""Who may do what: accounts, passwords, sessions, guests, API keys, and the throttling of guesses.

May import `storage`, `telemetry`, `settings`, `errors`, `clock` and `address` only. SQL stands in
`store` alone.
"""
