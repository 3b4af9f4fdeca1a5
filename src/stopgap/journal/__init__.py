"""The journal: every answer that was given, and none lost.

An answer's record is appended to the worker's spool before the answer leaves (`record`, `spool`);
one drainer moves it into the database (`drain`), where it is looked up and counted (`store`).
May import `contracts`, `storage`, `telemetry`, `settings`, `errors` and `clock` only. SQL stands in
`store` alone.
"""
