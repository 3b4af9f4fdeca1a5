"""Where things are kept: the database with its migrations, the objects, the data folder.

May import `settings`, `errors` and `clock` only. The tables themselves belong to the nouns.
"""
