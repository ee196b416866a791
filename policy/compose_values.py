"""Values of a Compose service in the form that docker resources have; one of unknown form stays as it is, and no rule
takes it for a good one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

_SIZE = re.compile(r"(\d+)(?:([kmg])b?|b)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MODES = frozenset({"ro", "rw", "z", "Z"})


def same(found: Any) -> Any:
    return found


def megabytes(found: Any) -> Any:
    """Of bytes, or of a text such as 512m."""
    if isinstance(found, str) and (size := _SIZE.fullmatch(found)):
        found = int(size[1]) * _FACTORS[(size[2] or "").lower()]
    return found / 1024**2 if isinstance(found, int) and not isinstance(found, bool) else found


def sysctls(found: Any) -> Any:
    """By name, of a mapping or of a list of assignments."""
    if isinstance(found, Mapping):
        return {str(name): value for name, value in found.items()}
    return dict(str(one).partition("=")[::2] for one in _list(found))


def mode(found: Any) -> Any:
    """`service:x` is the namespace of another container too."""
    return f"container:{found}" if isinstance(found, str) and found.startswith("service:") else found


def devices(found: Any) -> list[dict[str, Any]]:
    made = []
    for one in _list(found):
        if isinstance(one, Mapping):
            made.append({"hostPath": one.get("source"), "permissions": one.get("permissions")})
        else:
            source, _, rest = str(one).partition(":")
            _, _, permissions = rest.partition(":")
            made.append({"hostPath": source, "permissions": permissions})
    return made


def ports(found: Any) -> list[dict[str, Any]]:
    made = []
    for one in _list(found):
        if isinstance(one, Mapping):
            made.append({"internal": one.get("target"), "external": one.get("published"), "ip": one.get("host_ip")})
        else:
            before, _, inside = str(one).partition("/")[0].rpartition(":")
            ip = before.rpartition(":")[0].strip("[]")
            made.append({"internal": int(inside) if inside.isdecimal() else inside, "ip": ip or None})
    return made


def mount(found: Any) -> Mapping[str, Any]:
    """In the long form."""
    if isinstance(found, Mapping):
        return found
    source, *rest = str(found).split(":")
    if not rest:
        return {"type": "volume", "target": source}
    options = set(rest[1].split(",")) if len(rest) > 1 else set()
    kind = "bind" if source[:1] in ("/", ".", "~") else "volume"
    if len(rest) > 2 or not options <= _MODES:
        kind = str(found)  # no type that anybody knows
    return {"type": kind, "source": source, "target": rest[0], "read_only": "ro" in options}


def mounts(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": one.get("type"),
            "source": posixpath.normpath(source) if isinstance(source := one.get("source"), str) else source,
            "target": one.get("target"),
            "readOnly": one.get("read_only") is True,
            "bindOptions": one.get("bind"),
        }
        for one in map(mount, _list(found))
    ]


def labels(found: Any) -> list[dict[str, Any]]:
    pairs = found.items() if isinstance(found, Mapping) else (str(one).split("=", 1) for one in _list(found))
    return [{"label": key, "value": "".join(map(str, value))} for key, *value in pairs]


def assignments(found: Any) -> list[str]:
    """`NAME=value` of each variable."""
    if isinstance(found, Mapping):
        return [f"{key}={value}" for key, value in found.items()]
    return [str(one) for one in _list(found)]


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
