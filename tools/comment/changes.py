"""From Pulumi's JSON to changes by host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tools.comment.model import Action, Change, Record, without_secrets

_ACTIONS: dict[str, Action] = {
    "create": "added",
    "import": "added",
    "update": "changed",
    "replace": "replaced",
    "create-replacement": "replaced",
    "import-replacement": "replaced",
    "delete-replaced": "replaced",
    "delete": "removed",
}
_OF_A_HOST = ("Host", "Edge", "Droplet", "Gate", "Credential")  # components that are named after their host
CLOUD, STACK = "cloud", "stack"


def planned_changes(record: Record) -> list[Change]:
    """Every resource that would be added, changed, replaced or removed; a replacement in several steps is one."""
    hosts = _hosts(record)
    found: dict[str, Change] = {}
    for step in record.steps:
        action = _ACTIONS.get(str(step.get("op")))
        if action is None:
            continue
        change = _change(action, step, hosts)
        before = found.get(str(step["urn"]))
        found[str(step["urn"])] = change if before is None else _joined(before, change)
    return list(found.values())


def counts(record: Record) -> dict[str, int]:
    """How many of each kind, as in Pulumi's summary."""
    found: dict[str, int] = {}
    for op, number in record.summary.items():
        if action := _ACTIONS.get(op):
            found[action] = found.get(action, 0) + number
    return found


def _change(action: Action, step: Mapping[str, Any], hosts: Iterable[str]) -> Change:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    type_, name = str(step["urn"]).split("::")[2].rpartition("$")[2], str(step["urn"]).split("::", 3)[3]
    why = step.get("replaceReasons") or step.get("diffReasons") or ()
    return Change(
        action=action,
        type=type_,
        name=name,
        host=_host(type_, name, hosts),
        why=tuple(map(str, why)),
        before=without_secrets(old.get("inputs") or {}),
        after=without_secrets(new.get("inputs") or {}) if action != "removed" else {},
        kept=bool(old.get("retainOnDelete")),
    )


def _joined(one: Change, other: Change) -> Change:
    """A replacement that Pulumi lists as a creation and a deletion."""
    if "replaced" not in (one.action, other.action):
        return other
    return Change(
        action="replaced",
        type=one.type,
        name=one.name,
        host=one.host,
        why=one.why or other.why,
        before=one.before or other.before,
        after=one.after or other.after,
        kept=one.kept or other.kept,
    )


def _hosts(record: Record) -> list[str]:
    """Every host's name, the longest first: `web-1` is looked for before `web`."""
    found = {"hub"}
    for outputs in (record.before, record.after):
        for key in ("hosts", "rotations"):
            found |= set(outputs[key]) if isinstance(outputs.get(key), Mapping) else set()
    for step in record.steps:
        type_, name = str(step["urn"]).split("::")[2].rpartition("$")[2], str(step["urn"]).split("::", 3)[3]
        if type_ in ("fleetwatch:index:Host", "fleetwatch:index:Edge"):
            found.add(name)
    return sorted(found, key=lambda name: (-len(name), name))


def _host(type_: str, name: str, hosts: Iterable[str]) -> str:
    for host in hosts:
        if name.startswith(f"{host}-") or name == f"docker-{host}":
            return host
        if name == host and type_.startswith("fleetwatch:") and type_.rpartition(":")[2] in (*_OF_A_HOST, "Hub"):
            return host
    if name.startswith("grafana-admin"):
        return "hub"
    if type_.startswith("digitalocean:") or type_ == "fleetwatch:index:Cloud":
        return CLOUD
    return "hub" if type_ == "fleetwatch:index:Service" else STACK
