"""ASGI: the door in front of Flask.

Plain predictions are answered here, by two lanes that need no thread; every other request is read
whole, and handed to Flask in one of five bounded pools.
May not see `web`: the application comes in as a plain WSGI callable.
"""
