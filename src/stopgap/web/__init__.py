"""Flask: the application. Every route is here, and its answers are the authority.

Parses, calls one thing, renders: no rule and no SQL. The only room that may import Flask.
"""
