"""The observed send: the way to a client, for who notes how an answer began."""

from stopgap.front.asgi import Message, Send

NONE: Message = {"status": 0, "headers": ()}
"""What stands for the beginning of an answer as long as there is none."""


class ObservedSend:
    """Sends what it is given, and remembers the first of it."""

    __slots__ = ("_send", "start")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.start = NONE

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if self.start is NONE:
            self.start = message
        await self._send(message)

    def header(self, name: bytes) -> bytes:
        """Tell a header of the answer; nothing where it has none of this name."""
        return next((bytes(value) for each, value in self.start["headers"] if each == name), b"")
