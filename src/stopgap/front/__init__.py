"""ASGI: the door in front of Flask. Reads requests whole, then hands them to a bounded thread pool.

May not see `web`: the application comes in as a plain WSGI callable.
"""
