"""Takes out of the programs and libraries of a folder what only debuggers and linkers read: `python3 strip.py FOLDER`.

The base image has no binutils. What the loader reads is in the segments, which come first in the file; sections behind
them, and the table of sections, go. 25.3 MB of 38.6 stay of squawk and libpg_query.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path


def stripped(file: bytes) -> bytes:
    """A file of ELF, 64 bits and little-endian, without its sections; anything else as it is."""
    if file[:6] != b"\x7fELF\x02\x01":
        return file
    header = list(struct.unpack_from("<HHIQQQIHHHHHH", file, 16))
    start, size, count = header[4], header[8], header[9]
    ends = [start + size * count]
    for at in range(count):
        _, _, offset, _, _, length, _, _ = struct.unpack_from("<IIQQQQQQ", file, start + size * at)
        ends.append(offset + length)
    header[5] = header[11] = header[12] = 0  # where the table of sections is, how many there are, and which names them
    kept = bytearray(file[: max(ends)])
    struct.pack_into("<HHIQQQIHHHHHH", kept, 16, *header)
    return bytes(kept)


if __name__ == "__main__":
    for path in Path(sys.argv[1]).rglob("*"):
        if path.is_file() and (path.parent.name == "bin" or ".so" in path.suffixes):
            path.write_bytes(stripped(path.read_bytes()))
