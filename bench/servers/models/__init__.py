"""The servers that are measured with a model: one scikit-learn pipeline, batched by each.

All load the same file, `MODEL`, hand it as many rows at once as their server has for them, and
answer the rounded prediction. Each in the way that its own documentation shows.
"""
