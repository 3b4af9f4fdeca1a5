"""A worker that only spools, and tells the ids of what it has acknowledged.

`python spooling.py FOLDER FSYNC PAUSE`: seconds between two records.
"""

import os
import sys
import time
from pathlib import Path

from stopgap.clock import RandomIds
from stopgap.journal.record import encoder
from stopgap.journal.spool import Spool

SEGMENT_BYTES = 200_000
INPUTS = b'{"seller_available":5,"month":"may","customer_visiting_website":1}'


def spool_for_ever(folder: Path, fsync: str, pause: float) -> None:
    """Append records for ever; an id is on standard output once its record is kept."""
    ids = RandomIds()
    spool = Spool(folder, ids, fsync=fsync, segment_bytes=SEGMENT_BYTES)  # type: ignore[arg-type]  # from the command line
    encode = encoder(contract="madcompany", fingerprint="0123456789abcdef", release="stand-in")
    number = 0
    while True:
        number += 1
        name = ids.new()
        spool.append(encode(name, 1_893_499_200_000_000 + number, None, 37, INPUTS, b"3141"))
        os.write(1, name.encode() + b"\n")
        time.sleep(pause)


if __name__ == "__main__":
    spool_for_ever(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
