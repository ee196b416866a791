"""What a container may not have: a published port, more rights than its job takes, memory without a limit."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from configs import names
from policy import exceptions as but
from policy.exceptions import allowed, named
from policy.records import CONTAINER, Hidden, Record, items

_NAMESPACES = {
    "networkMode": but.NETWORK,
    "pidMode": but.PID,
    "ipcMode": "IPC",
    "usernsMode": "user",
    "cgroupnsMode": "cgroup",
}
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock")
_HOLD_THE_SOCKET = frozenset({"/", "/run", "/var", "/var/run"})
_ONE_WAY = (None, "", "private", "rprivate", "slave", "rslave")  # what the container mounts stays in it
_TABLE = "policy/exceptions.py"
# RFC 1918, 6598 and 4193.
_PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
# Listeners that are not for everybody: without TLS, or with the data itself behind them.
_NOT_CADDYS = [int(one.value) for one in but.EXCEPTIONS if one.property == but.PORT and one.role != "caddy"]
_INSIDE = {
    **dict.fromkeys((names.CADDY_PUSH_PORT, *_NOT_CADDYS), "the private network's address"),
    names.CADDY_QUERY_PORT: "127.0.0.1",
}


def ports(record: Record, _env: str) -> Iterator[str]:
    """Nothing is published but Caddy's ports and those between nodes of a cluster; the inner ones not to everybody."""
    if record.type != CONTAINER:
        return
    if record.properties.get("publishAllPorts") is True:
        yield (
            f"{record.called}: publishAllPorts publishes every port of its image; expected named ports alone; "
            "take it out"
        )
    for port in record.objects("ports"):
        inside, address = _number(port.get("internal")), port.get("ip")
        if not allowed(record.role, but.PORT, str(inside)):
            yield (
                f"{record.called}: its port {inside} is published on {_shown(address)}; expected nothing published but "
                f"{named(but.PORT)}; take it out of `ports`, others reach it through Caddy"
            )
        elif inside in _INSIDE and not _narrow(address, loopback=inside == names.CADDY_QUERY_PORT):
            yield (
                f"{record.called}: its port {inside} is published on {_shown(address)}; expected {_INSIDE[inside]}; "
                "give the port that `ip`"
            )


def rights(record: Record, _env: str) -> Iterator[str]:
    """No container can do more to its host than its job takes."""
    if record.type != CONTAINER:
        return
    if record.properties.get("privileged") is True:
        yield (
            f"{record.called}: privileged is full control of its host; expected false for every container; give it "
            f"the one capability or device that it needs, named in {_TABLE}"
        )
    yield from _namespaces(record)
    yield from _capabilities(record)
    yield from _devices(record)
    yield from _security(record)
    yield from _kernel(record)


def mounts(record: Record, _env: str) -> Iterator[str]:
    """No folder of the host is writable in a container, and Docker's socket is where it is named."""
    if record.type != CONTAINER:
        return
    for one in record.objects("mounts"):
        options = one.get("bindOptions")
        found = options.get("propagation") if isinstance(options, Mapping) else options
        if found not in _ONE_WAY:
            yield (
                f"{record.called}: its mount of {_path(one.get('source'))} has the propagation {_shown(found)}, with "
                "which its own mounts could reach its host; expected rslave or none; correct `propagation`"
            )
    for source, target, read_only in _binds(record):
        if not read_only:
            yield (
                f"{record.called}: {source} of its host is mounted writable at {target}; expected read-only; set "
                "read_only, and put what it writes on a volume"
            )
        if source.endswith(_SOCKETS) or target.endswith(_SOCKETS):
            if not allowed(record.role, but.SOCKET, but.READ_ONLY):
                yield (
                    f"{record.called}: Docker's socket {source} is full control of its host; expected it in "
                    f"{named(but.SOCKET)} alone; take the mount out, or name the role and its reason in {_TABLE}"
                )
        elif source in _HOLD_THE_SOCKET and not allowed(record.role, but.MOUNT, source):
            yield (
                f"{record.called}: {source} of its host is mounted, and Docker's socket is in it; expected it in "
                f"{named(but.MOUNT)} alone; mount the folder that is needed"
            )


def memory(record: Record, _env: str) -> Iterator[str]:
    """Every container has a memory limit: one that leaks ends itself and not its host."""
    if record.type != CONTAINER or record.hidden("memory"):
        return
    found = record.properties.get("memory")
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found <= 0:
        yield (
            f"{record.called}: it has no memory limit; expected `memory` in MB; set it under `limits` of its host or "
            "of the hub"
        )


def networks(record: Record, _env: str) -> Iterator[str]:
    """The assistant's database and cache are on their own network alone, with no other container but it."""
    if record.type != CONTAINER:
        return
    joined = [str(one["name"]) for one in record.objects("networksAdvanced") if isinstance(one.get("name"), str)]
    inner = names.ask_network("")
    for name in joined:
        if record.role in names.ASK_INNER and not name.endswith(inner):
            yield (
                f"{record.called}: it is on the network {name}; expected the network of the assistant alone, which "
                f"leads nowhere else; take {name} out of `networks`"
            )
        elif name.endswith(inner) and record.role not in (*names.ASK_INNER, names.ASK):
            yield (
                f"{record.called}: it is on the network {name} of the assistant's database and cache; expected "
                f"{', '.join((names.ASK, *names.ASK_INNER))} alone; take {name} out of `networks`"
            )


def _namespaces(record: Record) -> Iterator[str]:
    for key, what in _NAMESPACES.items():
        mode = record.properties.get(key)
        shared = isinstance(mode, str) and (mode == "host" or mode.startswith("container:"))
        if shared and not allowed(record.role, what, str(mode)):
            yield (
                f"{record.called}: it shares the {what} namespace ({mode}); expected a private one, except for "
                f"{named(what)}; take {key} out, or name the role and its reason in {_TABLE}"
            )


def _capabilities(record: Record) -> Iterator[str]:
    found = record.object("capabilities")
    if not record.hidden("capabilities") and "ALL" not in {_capability(one) for one in items(found.get("drops"))}:
        yield (
            f"{record.called}: it keeps Docker's own set of capabilities; expected `drops: [ALL]`; drop all, and add "
            "what it needs by name"
        )
    for one in items(found.get("adds")):
        if isinstance(one, str) and not allowed(record.role, but.CAPABILITY, _capability(one)):
            yield (
                f"{record.called}: it has the capability {_capability(one)}; expected none but those of "
                f"{named(but.CAPABILITY)}; take it out, or name the role and its reason in {_TABLE}"
            )


def _devices(record: Record) -> Iterator[str]:
    wanted = [f"{one.get('hostPath')}:{one.get('permissions') or 'rwm'}" for one in record.objects("devices")]
    wanted += [f"rule {one}" for one in record.values("deviceCgroupRules") if isinstance(one, str)]
    wanted += ["a device request" for _ in record.values("deviceRequests")]
    wanted += [f"GPUs ({gpus})"] if isinstance(gpus := record.properties.get("gpus"), str) and gpus else []
    for one in wanted:
        if not allowed(record.role, but.DEVICE, one):
            yield (
                f"{record.called}: it has the device {one}; expected none but those of {named(but.DEVICE)}; take it "
                f"out, or name the role and its reason in {_TABLE}"
            )


def _security(record: Record) -> Iterator[str]:
    if record.hidden("securityOpts"):
        return
    options = [one.replace(":", "=", 1) for one in record.values("securityOpts") if isinstance(one, str)]
    if not {"no-new-privileges", "no-new-privileges=true"} & set(options):
        yield (
            f"{record.called}: a setuid program in it could gain rights; expected the security option "
            "no-new-privileges; add it to `security_opts`"
        )
    for option in options:
        off = option.rpartition("=")[2] in ("unconfined", "disable", "false")
        if off and not allowed(record.role, but.SECURITY, option):
            yield (
                f"{record.called}: the security option {option} switches a protection off; expected none of that kind "
                f"but those of {named(but.SECURITY)}; take it out, or name the role and its reason in {_TABLE}"
            )


def _kernel(record: Record) -> Iterator[str]:
    for name in record.object("sysctls"):
        if not allowed(record.role, but.SYSCTL, name):
            yield (
                f"{record.called}: it sets {name} of the kernel; expected none but those of {named(but.SYSCTL)}; take "
                f"it out, or name the role and its reason in {_TABLE}"
            )


def _binds(record: Record) -> Iterator[tuple[str, str, bool]]:
    """(path on the host, path in the container, whether it is read-only) of every folder and file of the host."""
    for one in record.objects("mounts"):
        if one.get("type") == "bind":
            yield _path(one.get("source")), _path(one.get("target")), one.get("readOnly") is True
    for one in record.objects("volumes"):
        if one.get("hostPath"):
            yield _path(one.get("hostPath")), _path(one.get("containerPath")), one.get("readOnly") is True


def _path(value: Any) -> str:
    if not isinstance(value, str):
        return _shown(value)
    return value.rstrip("/") or "/"


def _capability(value: Any) -> str:
    name = str(value).upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def _number(value: Any) -> Any:
    """Pulumi's numbers are floats."""
    return int(value) if isinstance(value, float) else value


def _narrow(address: Any, loopback: bool) -> bool:
    """Whether an address is one of the inside; one that is not known yet is looked at when it is."""
    if isinstance(address, Hidden):
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or (not loopback and any(found in network for network in _PRIVATE))


def _shown(value: Any) -> str:
    if isinstance(value, Hidden):
        return f"an address that is {value.value}"
    return str(value) if value else "every address"
