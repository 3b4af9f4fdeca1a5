"""The journal's history."""
