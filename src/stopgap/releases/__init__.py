"""DECIDE: which model answers whom. May import `models` and the floors below, not the journal."""
