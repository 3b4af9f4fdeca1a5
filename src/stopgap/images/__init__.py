"""Images: recognised by what they hold, drawn anew, owned, and gone when their time is over.

May import `storage`, `errors`, `clock` and `address` only; whose session it is, is asked in
`accounts`. The only room that may import Pillow.
"""
