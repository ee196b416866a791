"""Cut off the file system on a loop device (its number is the argument), wherever in this droplet it is mounted.

Writes are finished first; from then on every access gives an error, as when a real volume is detached. A container of
the droplet may be the only one that still has it mounted, so all mount tables are read.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
NO_LOG_FLUSH = (2).to_bytes(4, sys.byteorder)  # after a sync: nothing is written later, not even by unmounting


def mounted(number: str) -> Path | None:
    """A path by which this process reaches the file system, or None."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            lines = table.read_text().splitlines()
        except OSError:
            continue  # the process has ended
        for line in lines:
            fields = line.split()
            if fields[2] == f"7:{number}":
                return table.parent / "root" / fields[4].lstrip("/")
    return None


def main() -> None:
    place = mounted(sys.argv[1])
    if place is None:
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        os.sync()
        fcntl.ioctl(handle, SHUTDOWN, NO_LOG_FLUSH)
    finally:
        os.close(handle)


if __name__ == "__main__":
    main()
