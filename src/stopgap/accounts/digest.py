"""What is kept in place of a secret: a keyed digest, worthless to whoever reads the database."""

import hashlib
import hmac


def digest(secret: bytes, purpose: str, *parts: str) -> str:
    """Make the HMAC-SHA-256 of some texts, in hexadecimal.

    The purpose, and every part's length, are digested too, so that no digest can be passed off as
    one of another purpose or of other parts.
    """
    words = [word.encode(errors="surrogatepass") for word in (purpose, *parts)]
    message = b"".join(len(word).to_bytes(8, "big") + word for word in words)
    return hmac.digest(secret, message, hashlib.sha256).hex()
