"""From the stack file's raw values to `Settings`, or every problem at once.

A section with a mistake is repaired (the mistaken key left out) and read again, so that checks across sections still
run and one mistake does not hide the next. Values are shown in messages only where they cannot be secret.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from configs.settings.base import DnsLabel, Strict
from configs.settings.edge import Edge, Host
from configs.settings.hub import Hub

SECTIONS = ("prefix", "env", "hub", "hosts", "images")
IMAGE_KEYS = (
    "caddy", "prometheus", "loki", "grafana", "alertmanager", "promtail", "alloy", "cadvisor",
    "node_exporter", "postgres_exporter",
)  # fmt: skip
# Nothing below these keys is ever shown, whatever its type: a secret written at the wrong place is still a secret.
_SECRET_SUBTREES = frozenset(
    {"postgres", "auth", "receivers", "client_secret", "password", "dsn", "url", "routing_key"}
)


Place = tuple[int | str, ...]
_TAKEN_OUT = object()


class Images(Strict):
    """Overrides of image pins, by key."""

    caddy: str | None = None
    prometheus: str | None = None
    loki: str | None = None
    grafana: str | None = None
    alertmanager: str | None = None
    promtail: str | None = None
    alloy: str | None = None
    cadvisor: str | None = None
    node_exporter: str | None = None
    postgres_exporter: str | None = None


@dataclass(frozen=True)
class Settings:
    """A whole stack file, checked. `hosts` holds every edge by its host's name, the hub's own as `hub`."""

    prefix: str
    env: str
    hub: Hub
    hosts: Mapping[str, Edge]
    images: Images


class SettingsError(Exception):
    """All problems of a stack file, one line each, ready to be shown."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count > 1 else ''} in the settings, nothing was changed:\n"
            + "\n".join(f"  - {problem}" for problem in self.problems)
        )


def load(raw: Mapping[str, Any], source: str) -> Settings:
    """The settings, or SettingsError. `raw` is keyed by section; `source` is the stack file's name for messages."""
    settings, problems = read(raw, source)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def read(raw: Mapping[str, Any], source: str) -> tuple[Settings | None, list[str]]:
    """Like `load`, but gives the repaired settings (None if there is no hub to speak of) beside the problems."""
    problems = [
        f"{key}: unknown key, expected one of {', '.join(SECTIONS)}" for key in sorted(raw) if key not in SECTIONS
    ]
    prefix = _parse(DnsLabel, raw.get("prefix", "fleetwatch"), "prefix", problems) or "fleetwatch"
    env = _parse(DnsLabel, raw.get("env", "local"), "env", problems) or "local"
    images = _parse(Images, raw.get("images") or {}, "images", problems) or Images()
    hub = _parse(Hub, raw.get("hub", {}), "hub", problems)
    hosts = _hosts(raw.get("hosts") or {}, problems)
    if hub is not None:
        problems += _across(hub, hosts)
    problems = [f"{problem} ({source})" for problem in problems]
    return (Settings(prefix, env, hub, hosts, images) if hub is not None else None), problems


def _hosts(raw: Any, problems: list[str]) -> dict[str, Edge]:
    if not isinstance(raw, dict):
        problems.append(f"hosts: expected a mapping of host names, got a {_kind(raw)}")
        raw = {}
    hosts: dict[str, Edge] = {}
    for name in sorted(map(str, {"hub", *raw})):
        _parse(DnsLabel, name, f"hosts.{name}", problems)
        model = Edge if name == "hub" else Host
        host = _parse(model, raw.get(name) or {}, f"hosts.{name}", problems)
        if host is not None:
            hosts[name] = host
    return hosts


def _across(hub: Hub, hosts: Mapping[str, Edge]) -> list[str]:
    """Mistakes that only two sections together show."""
    problems = []
    engines = {hub.local.docker: "hub"}
    for name, host in hosts.items():
        if isinstance(host, Host) and host.local is not None:
            other = engines.setdefault(host.local.docker, name)
            if other != name:
                problems.append(
                    f"hosts.{name}.local: expected a Docker Engine of its own, but host {other} watches this one; "
                    f"put its apps, databases and logs under hosts.{other}"
                )
    if hub.outage_budget > hub.retention.logs:
        problems.append(
            "hub.outage_budget: expected no more than hub.retention.logs, or logs expire before they arrive"
        )
    return problems


def _parse(model: Any, raw: Any, path: str, problems: list[str]) -> Any:
    """The parsed value; else what can be read of it without its mistakes, which are added to `problems`."""
    adapter = TypeAdapter(model)
    value = copy.deepcopy(raw)
    removed: set[Place] = set()
    holes: list[Place] = []  # what the repair took out and no default replaces: errors above these are its own doing
    while True:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            mistakes = {_place(m["loc"]): m for m in error.errors(include_url=False)}
        for place, mistake in mistakes.items():
            own_doing = place in removed or any(hole[: len(place)] == place for hole in holes)
            if not own_doing:
                problems.append(_sentence(path, place, mistake, model))
        holes += [
            place[:-1] if m["type"] == "missing" else place
            for place, m in mistakes.items()
            if _is_hole(model, place, m)
        ]
        value = _without(value, [p[:-1] if m["type"] == "missing" else p for p, m in mistakes.items()])
        if value is None or removed >= set(mistakes):
            return None
        removed |= set(mistakes)


def _place(loc: tuple[int | str, ...]) -> Place:
    return tuple(key for key in loc if key != "[key]")


def _is_hole(model: Any, place: Place, mistake: Any) -> bool:
    if mistake["type"] in ("missing", "extra_forbidden"):
        return mistake["type"] == "missing"
    return bool(not place or str(place[-1]) not in _keys_at(model, place[:-1]) or isinstance(mistake["input"], dict))


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


def _sentence(path: str, place: Place, mistake: Any, model: Any) -> str:
    where = ".".join([path, *map(str, place)])
    kind, message = mistake["type"], mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{where}: unknown key, expected one of {', '.join(_keys_at(model, place[:-1]))}"
    if kind == "missing":
        return f"{where}: missing, it has to be given"
    head, colon, rest = message.partition(": ")
    if colon and head in _keys_at(model, place):  # a model's own check names the key it is about
        where, message = f"{where}.{head}", rest
    if not message.startswith("expected"):
        message = "expected " + re.sub(r"^(Input should be |\w+ should )", "", message)
    message = message.replace("valid dictionary or instance of", "mapping:").replace("valid dictionary", "mapping")
    return f"{where}: {message}{_got(path, place, mistake)}"


def _keys_at(model: Any, place: Place) -> list[str]:
    """The keys a model knows at this depth; an empty list where it knows none."""
    model = _inner(model)
    for key in place:
        if _is_model(model):
            field = model.model_fields.get(str(key))
            if field is None:
                return []
            model = field.annotation
            model = {"of": model} if _is_mapping(model) else _inner(model)
        elif isinstance(model, dict):
            model = _inner(model["of"])
    return list(model.model_fields) if _is_model(model) else []


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, list)


def _is_model(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model inside `X | None`, `dict[str, X]`, `list[X]` or Annotated."""
    if _is_model(annotation):
        return annotation
    for part in reversed(getattr(annotation, "__args__", ())):
        found = _inner(part)
        if _is_model(found):
            return found
    return annotation


def _got(path: str, place: Place, mistake: Any) -> str:
    value = mistake.get("input")
    if "got " in mistake["msg"] or mistake["type"] == "value_error" and isinstance(value, (dict, BaseModel)):
        return ""
    if _SECRET_SUBTREES & {*place, *path.split(".")} or isinstance(value, str) and "@" in value:
        return f", got a {_kind(value)} (not shown)" if value != "" else ", got an empty text"
    if isinstance(value, (str, int, float, bool)):
        return f", got {value!r}"
    return f", got a {_kind(value)}"


def _kind(value: Any) -> str:
    return {
        "dict": "mapping",
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "NoneType": "nothing",
    }.get(type(value).__name__, type(value).__name__)
