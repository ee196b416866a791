"""From the stack file's raw values to `Settings`, or every mistake in its form at once.

A section with a mistake is repaired (the mistaken key left out) and read again, so that one mistake does not hide the
next, and rules that need several sections (configs/validation) can still be checked. Values are shown in messages only
where they cannot be secret.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from configs.settings.base import NONE_GIVEN, DnsLabel
from configs.settings.edge import Edge, Metrics
from configs.settings.fleet import Access, Cloud, Docker, Ssh
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.messages import message, no_mapping, non_text_key, unknown_key
from configs.settings.model import SECTIONS, Images, Settings, SettingsError
from configs.settings.schema import Place, has_default
from configs.settings.sections import unknown_section
from configs.settings.shown import shown_key

_TAKEN_OUT = object()
HUB_KEYS = ("via", "rotation")  # what `hosts.hub` may say of its host; the rest is in the section `hub`
_CONSEQUENCE = "default_factory_not_called"  # a default that depends on another key, which has a mistake


def load(raw: Mapping[str, Any], source: str) -> Settings:
    """The settings of a file without mistakes in its form, else SettingsError. `raw` is keyed by section; `source` is
    the stack file's name for messages. configs.validation checks the rules that need more than one key."""
    settings, problems = read(raw, source)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def read(raw: Mapping[str, Any], source: str) -> tuple[Settings | None, list[str]]:
    """Like `load`, but gives the repaired settings (None if the hub is unusable) beside the problems."""
    problems: list[str] = []
    for key in sorted(map(str, set(raw) - set(SECTIONS))):
        problems.append(unknown_section(key) or unknown_key("", key, SECTIONS))
    raw = {key: _with_text_keys(value, key, problems) for key, value in raw.items() if key in SECTIONS}
    prefix = _parse(DnsLabel, raw.get("prefix", "fleetwatch"), "prefix", problems) or "fleetwatch"
    env = _parse(DnsLabel, raw.get("env", "local"), "env", problems) or "local"
    images = _parse(Images, _given(raw, "images"), "images", problems) or Images()
    access = _parse(Access, _given(raw, "access"), "access", problems) or Access()
    cloud = _parse(Cloud, _given(raw, "cloud"), "cloud", problems) or Cloud()
    ssh = _parse(Ssh, _given(raw, "ssh"), "ssh", problems) or Ssh()
    docker = _parse(Docker, _given(raw, "docker"), "docker", problems) or Docker()
    metrics = _parse(Metrics, _given(raw, "metrics"), "metrics", problems) or Metrics()
    hub = _parse(Hub, raw.get("hub", {}), "hub", problems)
    hosts, edges = _hosts(_given(raw, "hosts"), hub, problems)
    edges = {name: _with_defaults(edge, metrics) for name, edge in edges.items()}
    settings = None
    if hub is not None:
        invalid = frozenset(problem.partition(":")[0] for problem in problems)
        settings = Settings(prefix, env, hub, hosts, edges, images, access, cloud, ssh, docker, source, invalid)
    return settings, [f"{problem} ({source})" for problem in problems]


def _with_text_keys(value: Any, path: str, problems: list[str]) -> Any:
    """The value without keys that are no texts, each of which is a problem."""
    if isinstance(value, list):
        return [_with_text_keys(inner, f"{path}.{index}", problems) for index, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    problems += [non_text_key(path, key) for key in value if not isinstance(key, str)]
    return {
        key: _with_text_keys(inner, f"{path}.{shown_key(key)}", problems)
        for key, inner in value.items()
        if isinstance(key, str)
    }


def _given(raw: Mapping[str, Any], key: str) -> Any:
    """A section that is absent or left empty is an empty mapping; anything else is checked as it is."""
    return {} if raw.get(key) is None else raw[key]


def _hosts(raw: Any, hub: Hub | None, problems: list[str]) -> tuple[dict[str, Host], dict[str, Edge]]:
    if not isinstance(raw, dict):
        problems.append(no_mapping("hosts", raw, "a mapping of host names"))
        raw = {}
    hosts: dict[str, Host] = {}
    edges: dict[str, Edge] = {}
    ours = hub.hosts if hub is not None and hub.kind != "local" else ("hub",)
    for name in sorted({*ours, *raw}):
        path = f"hosts.{shown_key(name)}"
        _parse(DnsLabel, name, path, problems)
        placed, collected, unknown = _divided(name, _given(raw, name), problems, of_hub=name in ours)
        if name in ours:
            placed = _hub_host(placed or {}, hub, name)
        host = _parse(Host, placed, path, problems, unknown) if placed is not None else None
        edge = _parse(Edge, collected, path, problems)
        if name in ours:  # always there: an unusable entry is replaced by the defaults
            host, edge = host or _parse(Host, _hub_host({}, hub, name) or {}, path, []), edge or Edge()
        if host is not None and edge is not None and shown_key(name) == name:  # rules name the host in their problems
            hosts[name], edges[name] = host, edge
    return hosts, edges


def _with_defaults(edge: Edge, metrics: Metrics) -> Edge:
    """The edge with the fleet's values where it has no own."""
    own = {key: getattr(edge.metrics, key) for key in edge.metrics.model_fields_set}
    return edge.model_copy(update={"metrics": metrics.model_copy(update=own)})


def _divided(
    name: str, entry: Any, problems: list[str], *, of_hub: bool
) -> tuple[dict[str, Any] | None, dict[str, Any], list[Place]]:
    """One entry of `hosts`: the part about where the host is (None: unreadable), the part about what its edge
    collects, and the keys that neither part knows. `of_hub`: the hub is on it, which places it."""
    if not isinstance(entry, dict):
        problems.append(no_mapping(f"hosts.{shown_key(name)}", entry))
        return None, {}, []
    keys = [key for key in Host.model_fields if not of_hub or key in HUB_KEYS]
    known = [*keys, *Edge.model_fields]
    for key in entry:
        if of_hub and key in Host.model_fields and key not in keys:
            problems.append(f"hosts.{name}.{key}: not allowed, the hub is placed under `hub`; remove this key")
        elif key not in known:
            problems.append(unknown_key(f"hosts.{shown_key(name)}", key, known))
    placed = {key: value for key, value in entry.items() if key in keys}
    collected = {key: value for key, value in entry.items() if key in Edge.model_fields}
    return placed, collected, [(key,) for key in entry if key not in known]


def _hub_host(placed: dict[str, Any], hub: Hub | None, name: str) -> dict[str, Any] | None:
    """A host of the hub itself: its place is that of the hub, or of the node. By default its edge pushes inside the
    hub's own network, so that it does not depend on the hub's certificate."""
    if hub is None:
        return None
    via = "internet" if hub.kind == "local" else "vpc"
    return {"via": via, **placed, **{key: place for key, place in hub.place(name).items() if place is not None}}


def _parse(model: Any, raw: Any, path: str, problems: list[str], without: Sequence[Place] = ()) -> Any:
    """The parsed value; else what can be read of it without its mistakes, which are added to `problems`. `without`:
    keys that were mistakes and are not in `raw` any more."""
    adapter = TypeAdapter(model)
    value = copy.deepcopy(raw)
    mistaken: set[Place] = set()
    taken_out: set[Place] = set(without)
    shown: set[str] = set()  # paths of problems: a later one at the same path is the repair's own doing
    holes: list[Place] = []  # what the repair took out and no default replaces: errors above these are its own doing
    while True:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            mistakes = {_place(m["loc"]): m for m in error.errors(include_url=False) if m["type"] != _CONSEQUENCE}
        lines: list[str] = []
        for place, mistake in mistakes.items():
            own_doing = place in mistaken or any(hole[: len(place)] == place for hole in holes)
            if mistake["type"] == NONE_GIVEN:
                own_doing = own_doing or any(out[:-1] == place for out in taken_out if out)
            if not own_doing:
                lines.append(message(path, place, mistake, model))
        problems += [line for line in lines if _path(line) not in shown]
        shown |= set(map(_path, lines))
        holes += [
            place[:-1] if m["type"] == "missing" else place
            for place, m in mistakes.items()
            if _is_hole(model, place, m)
        ]
        # Where a key was taken out that has to be given, the next round takes out the entry that it belongs to.
        out = [place[:-1] if m["type"] == "missing" else place for place, m in mistakes.items()]
        value = _without(value, out)
        if value is None or taken_out >= set(out):
            return None
        mistaken |= set(mistakes)
        taken_out |= set(out)


def _path(line: str) -> str:
    return line.partition(":")[0]


def _place(loc: tuple[int | str, ...]) -> Place:
    return tuple(key for key in loc if key != "[key]")


def _is_hole(model: Any, place: Place, mistake: Any) -> bool:
    if mistake["type"] in ("missing", "extra_forbidden"):
        return bool(mistake["type"] == "missing")
    return not has_default(model, place) or isinstance(mistake["input"], dict)


def _without(value: Any, places: list[Place]) -> Any:
    """`value` without what stands at these places; None when that is the whole value."""
    for place in places:
        node: Any = value
        for key in place[:-1]:
            node = node[int(key)] if isinstance(node, list) else node.get(key, {})
        if not place:
            return None
        if isinstance(node, dict):
            node.pop(place[-1], None)
        elif isinstance(node, list):
            node[int(place[-1])] = _TAKEN_OUT
    return _swept(value)


def _swept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _swept(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_swept(item) for item in value if item is not _TAKEN_OUT]
    return value
