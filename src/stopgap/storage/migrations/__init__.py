"""The schema's history: one script a version, each written by hand and never changed again."""
