"""Checks of the digitalocean stand-in's inputs before any request, for rules that no single table row expresses.

The real provider has the same rules. It applies some of them later, in its diff.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.standins.plugins.schema import UNKNOWN

Problems = Iterator[tuple[str, str]]
Values = Mapping[str, Any]


def tags(key: str) -> Any:
    def verify(old: Values, new: Values) -> Problems:
        given = new.get(key)
        for tag in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
            if tag != UNKNOWN and not re.fullmatch(r"[a-zA-Z0-9:\-_]{1,255}", tag):
                yield (
                    key,
                    "tags may contain lowercase letters, numbers, colons, dashes, and underscores; "
                    f"there is a limit of 255 characters per tag, got {tag!r}",
                )

    return verify


def vpc(old: Values, new: Values) -> Problems:
    given = new.get("ipRange")
    if given and given != UNKNOWN:
        try:
            ipaddress.IPv4Network(given, strict=False)
        except ValueError:
            yield "ipRange", f"expected a range in CIDR notation such as 10.77.0.0/20, got {given!r}"


def volume(old: Values, new: Values) -> Problems:
    yield from tags("tags")(old, new)
    before, after = old.get("size"), new.get("size")
    if isinstance(after, int) and after < 1:
        yield "size", f"expected at least 1 GB, got {after}"
    elif isinstance(before, int) and isinstance(after, int) and after < before:
        yield "size", f"volumes `size` can only be expanded and not shrunk: it is {before} GB, {after} were requested"


def firewall(old: Values, new: Values) -> Problems:
    yield from tags("tags")(old, new)
    sides = [("inboundRules", new.get("inboundRules")), ("outboundRules", new.get("outboundRules"))]
    if not any(rules for _, rules in sides):
        yield "inboundRules", "At least one rule must be specified"
    for side, rules in sides:
        for i, rule in enumerate(rules if isinstance(rules, list) else []):
            if rule != UNKNOWN and rule["protocol"] not in ("icmp", UNKNOWN) and not rule.get("portRange"):
                yield f"{side}[{i}].portRange", "`port_range` is required if protocol is `tcp` or `udp`"


def load_balancer(old: Values, new: Values) -> Problems:
    yield from tags("dropletTag")(old, new)
    health = new.get("healthcheck")
    if isinstance(health, dict) and bool(health.get("path")) != (health.get("protocol") == "http"):
        yield "healthcheck.path", "health check `path` is required for when protocol is `http`, and for no other"


def record(old: Values, new: Values) -> Problems:
    for key in ("name", "value"):
        if str(new.get(key)).endswith("."):
            yield key, "names that end in a dot are not covered"


def assignment(old: Values, new: Values) -> Problems:
    given = new.get("ipAddress")
    if given != UNKNOWN:
        try:
            ipaddress.IPv4Address(given)
        except ValueError:
            yield "ipAddress", f"expected an IPv4 address, got {given!r}"
