"""Where logs lie on a host: the folder of a glob, systemd's journal, and the folders that no log agent can mount."""

from __future__ import annotations

import re

JOURNAL = ("/var/log", "/run/log")  # where systemd keeps it, on disk or in memory
# A folder is mounted at its own path into the log agent's container, where it hides what the image has there, and
# Docker refuses a second mount at one path. /etc, /run and /tmp hold or are targets of the agent's own mounts.
_SYSTEM = re.compile(r"/(bin|boot|dev|etc|lib(32|64|x32)?|proc|run|sbin|sys|usr|var/(lock|run))(/.*)?")
_LOGS_IN_SYSTEM = re.compile(r"/run/log(/.*)?|/usr/local/(?!(s?bin|lib)(/|$))[^/]+(/.*)?")
# Their subfolders may have logs. /tmp is memory of the agent, in which a folder can be mounted.
_ALONE = ("/", "/root", "/tmp", "/var", "/var/lib")


def normalized(path: str) -> str:
    """The same path in the one form by which two are compared: `/var//log/./x` -> `/var/log/x`."""
    return re.sub(r"/(\.?/)+", "/", path)


def fixed_folder(path: str) -> str:
    """The folder of a glob before its first wildcard: `/var/log/nginx/*.log` -> `/var/log/nginx`."""
    for wildcard in "*?[{":
        path = path.split(wildcard)[0]
    return path.rpartition("/")[0]


def is_system_folder(folder: str) -> bool:
    """Whether mounting this folder of the host would hide files that a log agent needs."""
    if folder in _ALONE:
        return True
    return bool(_SYSTEM.fullmatch(folder)) and not _LOGS_IN_SYSTEM.fullmatch(folder)


def overlap(one: str, other: str) -> bool:
    """Whether one of two folders is the other or lies inside it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
