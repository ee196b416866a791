"""The containers of an edge: the services in the compose.yaml that a command brings to its host, as records like those
of docker resources, so that every rule about containers holds for both.

What these rules do not know (a key, a form, a variable) is a violation, never a pass.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from configs.deploy.reading import file_variables, unbundled
from policy import compose_values as values
from policy.records import COMMAND, CONTAINER, Hidden, Record

FILE = "compose.yaml"
_STARTS = re.compile(r"\bcompose(?:\s+-\S+(?:\s+[^\s-]\S*)?)*\s+(?:up|run|create)\b")  # with options before it
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$(?!\$)")
_NO_RIGHTS = frozenset(  # keys that give a container nothing of its host
    {
        "container_name", "cpus", "depends_on", "expose", "extra_hosts", "healthcheck", "hostname", "init", "logging",
        "memswap_limit", "networks", "pids_limit", "pull_policy", "read_only", "restart", "stop_grace_period",
        "stop_signal", "tmpfs", "ulimits", "user", "working_dir",
    }
)  # fmt: skip
# Keys that rules judge: the property of a docker resource, and its value.
_JUDGED: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "image": ("image", values.same),
    "mem_limit": ("memory", values.megabytes),
    "privileged": ("privileged", lambda found: found is not False),
    "network_mode": ("networkMode", values.mode),
    "pid": ("pidMode", values.mode),
    "ipc": ("ipcMode", values.mode),
    "userns_mode": ("usernsMode", values.mode),
    "cgroup": ("cgroupnsMode", values.mode),
    "security_opt": ("securityOpts", values.same),
    "devices": ("devices", values.devices),
    "device_cgroup_rules": ("deviceCgroupRules", values.same),
    "sysctls": ("sysctls", values.sysctls),
    "gpus": ("gpus", str),
    "ports": ("ports", values.ports),
    "volumes": ("mounts", values.mounts),
    "labels": ("labels", values.labels),
    "environment": ("envs", values.assignments),
    "command": ("command", values.same),
    "entrypoint": ("entrypoints", values.same),
}
_LISTS = ("cap_add", "cap_drop", "security_opt", "devices", "device_cgroup_rules", "ports", "volumes")
_CAPABILITIES = {"cap_add": "adds", "cap_drop": "drops"}
_NETWORK = frozenset({"name", "driver", "ipam", "labels", "external"})
_VOLUME = frozenset({"name", "labels"})
_MOUNT = frozenset({"type", "source", "target", "read_only", "bind"})
_BIND = frozenset({"create_host_path", "propagation"})


def parts(record: Record) -> list[Record]:
    """The record itself, and a record for each container that it brings to a host."""
    found = [record]
    for project in _projects(record):
        services, networks = _mapping(project.get("services")), _mapping(project.get("networks"))
        for name, service in services.items():
            properties = _properties(_mapping(service), networks)
            found.append(Record(CONTAINER, record.name, properties, record.protect, record.urn, str(name)))
    return found


def readable(record: Record, _env: str) -> Iterator[str]:
    """A project is readable down to its last key: what these rules cannot judge is not deployed."""
    if record.type != COMMAND:
        return
    if record.properties.get("environment") is Hidden.SECRET:
        yield (
            f"{record.called}: its whole environment is a secret, which hides a compose.yaml from the rules; expected "
            "only single values marked; put secrets into `stdin`"
        )
        return
    texts = list(_texts(record))
    if not texts and _starts_containers(record):
        hidden = any(record.object("environment").get(name) is Hidden.UNKNOWN for name in _variables(record))
        if not hidden:
            yield (
                f"{record.called}: it starts a Compose project whose {FILE} cannot be read; expected it in clear text "
                "in the variable FILES; take what is secret out of it"
            )
    for text in texts:
        project = _parsed(text)
        if project is None:
            yield f"{record.called}: its {FILE} is no YAML mapping; expected a Compose project; correct what renders it"
            continue
        for what in _unknown(project):
            yield (
                f"{record.called}: {FILE} has {what}; expected only what the rules can judge; take it out, or teach "
                "policy/projects.py what it means"
            )


def _projects(record: Record) -> list[Mapping[str, Any]]:
    return [project for text in _texts(record) if (project := _parsed(text)) is not None]


def _texts(record: Record) -> Iterator[str]:
    """Every compose.yaml that the command writes."""
    if record.type != COMMAND:
        return
    environment = record.object("environment")
    whole = "".join(text for name in _variables(record) if isinstance(text := environment[name], str))
    stdin = record.properties.get("stdin")
    for name, text in unbundled(whole + (stdin if isinstance(stdin, str) else "")):
        if posixpath.normpath(name) == FILE:
            yield text


def _variables(record: Record) -> list[str]:
    return file_variables(record.object("environment"))


def _starts_containers(record: Record) -> bool:
    texts = [*record.object("environment").values(), record.properties.get("create")]
    return any(isinstance(text, str) and _STARTS.search(text) for text in texts)


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, Mapping) else None


def _properties(service: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
    """As the docker resource of the same container has them."""
    made = {_JUDGED[key][0]: _JUDGED[key][1](value) for key, value in service.items() if key in _JUDGED}
    capabilities = {_CAPABILITIES[key]: value for key, value in service.items() if key in _CAPABILITIES}
    if capabilities:
        made["capabilities"] = capabilities
    for name in service.get("networks") or ():
        if _mapping(networks.get(name)).get("name", name) == "host":
            made["networkMode"] = "host"
    return made


def _unknown(project: Mapping[str, Any]) -> Iterator[str]:
    """What the rules cannot judge, each as a phrase."""
    yield from _keys(project, frozenset({"name", "services", "networks", "volumes"}), "")
    yield from _variables_in(project, "")
    for name, network in _mapping(project.get("networks")).items():
        yield from _keys(_mapping(network), _NETWORK, f"networks.{name}.")
        if (driver := _mapping(network).get("driver", "bridge")) != "bridge":
            yield f"the driver {driver} for networks.{name}"
    for name, volume in _mapping(project.get("volumes")).items():
        yield from _keys(_mapping(volume), _VOLUME, f"volumes.{name}.")
    services = project.get("services")
    if not isinstance(services, Mapping) or not services:
        yield "no services"
        return
    for name, service in services.items():
        where = f"services.{name}"
        if not isinstance(service, Mapping):
            yield f"no mapping at {where}"
            continue
        yield from _keys(service, _NO_RIGHTS | _JUDGED.keys() | _CAPABILITIES.keys(), f"{where}.")
        lists = [key for key in _LISTS if key in service and not isinstance(service[key], list)]
        yield from (f"no list at {where}.{key}" for key in lists)
        if "volumes" not in lists:
            yield from _mounts(service, where)


def _keys(found: Mapping[str, Any], known: frozenset[str], where: str) -> Iterator[str]:
    yield from (f"the key {where}{key}" for key in found if key not in known)


def _mounts(service: Mapping[str, Any], where: str) -> Iterator[str]:
    for mount in service.get("volumes") or ():
        one = values.mount(mount)
        yield from _keys(one, _MOUNT, f"{where}.volumes.")
        yield from _keys(_mapping(one.get("bind")), _BIND, f"{where}.volumes.bind.")
        source = str(one.get("source"))
        if one.get("type") not in ("bind", "volume", "tmpfs"):
            yield f"a mount of the type {one.get('type')} in {where}"
        elif one.get("type") == "bind" and (source.startswith("~") or ".." in source.split("/")):
            yield f"a path that depends on its host ({source}) in {where}"


def _variables_in(value: Any, where: str) -> Iterator[str]:
    """Compose replaces `$NAME` with what its host has."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _variables_in(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _variables_in(inner, where)
    elif isinstance(value, str) and _VARIABLE.search(value):
        yield f"a variable that its host fills in at {where}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
