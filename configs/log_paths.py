"""Where logs lie on a host: the folder of a glob, and systemd's journal."""

from __future__ import annotations

JOURNAL = ("/var/log", "/run/log")  # where systemd keeps it, on disk or in memory


def fixed_folder(path: str) -> str:
    """The folder of a glob before its first wildcard: `/var/log/nginx/*.log` -> `/var/log/nginx`."""
    for wildcard in "*?[{":
        path = path.split(wildcard)[0]
    return path.rpartition("/")[0]
