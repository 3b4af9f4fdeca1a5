"""ANSWER: whatever can answer a contract's inputs.

May import `contracts`, `storage`, `telemetry` and the floors below.
"""
