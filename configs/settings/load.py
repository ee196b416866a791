"""From the stack file's raw values to `Settings`, or every problem at once.

A section with a mistake is repaired (the mistaken key left out) and read again, so that checks across sections still
run and one mistake does not hide the next. Values are shown in messages only where they cannot be secret.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError, create_model

from configs import services
from configs.settings.base import DnsLabel, Strict
from configs.settings.edge import Edge
from configs.settings.fleet import Access, Cloud, Ssh
from configs.settings.host import PLACES, Host
from configs.settings.hub import Hub
from configs.settings.messages import Place, has_default, kind_of, sentence
from configs.settings.places import Droplet

SECTIONS = ("prefix", "env", "hub", "hosts", "access", "cloud", "ssh", "images")
_TAKEN_OUT = object()
OF_HUB = ("via", "rotation")  # what `hosts.hub` may say of its host; the rest is in the section `hub`
_CONSEQUENCE = "default_factory_not_called"  # a default that depends on another key, which has a mistake


class Images(Strict):
    """Overrides of image pins, by key."""

    def given(self) -> dict[str, str]:
        """The overrides that there are."""
        return {key: ref for key, ref in self if ref}


IMAGE_KEYS = services.IMAGE_KEYS
if not TYPE_CHECKING:
    Images = create_model(
        "Images", __base__=Images, __doc__=Images.__doc__, **{key: (str | None, None) for key in IMAGE_KEYS}
    )


@dataclass(frozen=True)
class Settings:
    """A whole stack file, checked. `hosts` and `edges` have the same keys, the hosts' names; the hub's own is `hub`."""

    prefix: str
    env: str
    hub: Hub
    hosts: Mapping[str, Host]
    edges: Mapping[str, Edge]
    images: Images
    access: Access = Access()
    cloud: Cloud = Cloud()
    ssh: Ssh = Ssh()

    @property
    def droplets(self) -> Mapping[str, Droplet]:
        """Every droplet by its path in the stack file."""
        found: dict[str, Droplet] = {"hub.droplet": self.hub.droplet} if self.hub.droplet is not None else {}
        others = {name: host.droplet for name, host in self.others.items() if host.droplet is not None}
        return found | {f"hosts.{name}.droplet": droplet for name, droplet in others.items()}

    @property
    def others(self) -> Mapping[str, Host]:
        """The hosts besides the hub."""
        return {name: host for name, host in self.hosts.items() if name != "hub"}

    @property
    def region(self) -> str | None:
        """The region of the private network: the hub's, else the first that a droplet names."""
        return next((droplet.region for droplet in self.droplets.values() if droplet.region), None)

    @property
    def protected(self) -> bool:
        """Whether the engine refuses to delete what holds data."""
        return self.cloud.protect if self.cloud.protect is not None else self.env == "prod"


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
    images = _parse(Images, _given(raw, "images"), "images", problems) or Images()
    access = _parse(Access, _given(raw, "access"), "access", problems) or Access()
    cloud = _parse(Cloud, _given(raw, "cloud"), "cloud", problems) or Cloud()
    ssh = _parse(Ssh, _given(raw, "ssh"), "ssh", problems) or Ssh()
    hub = _parse(Hub, raw.get("hub", {}), "hub", problems)
    hosts, edges = _hosts(_given(raw, "hosts"), hub, problems)
    settings = Settings(prefix, env, hub, hosts, edges, images, access, cloud, ssh) if hub is not None else None
    if settings is not None:
        from configs.settings.across import across  # it speaks of Settings itself

        told = [problem.partition(":")[0] for problem in problems]
        problems += [problem for problem in across(settings) if not _taken_for_missing(problem, told)]
    return settings, [f"{problem} ({source})" for problem in problems]


def _taken_for_missing(problem: str, told: list[str]) -> bool:
    """Whether it misses what the repair took out: at its place, above or below."""
    path, _, rest = problem.partition(":")
    paths = [path, *(["ssh.key"] if path == "ssh.public_key" else [])]  # the one stands in for the other
    related = (f"{one}.".startswith(f"{p}.") or f"{p}.".startswith(f"{one}.") for one in told for p in paths)
    return rest.startswith(" missing") and any(related)


def _given(raw: Mapping[str, Any], key: str) -> Any:
    """A section that is absent or left empty is an empty mapping; anything else is judged as it stands."""
    return {} if raw.get(key) is None else raw[key]


def _hosts(raw: Any, hub: Hub | None, problems: list[str]) -> tuple[dict[str, Host], dict[str, Edge]]:
    if not isinstance(raw, dict):
        problems.append(f"hosts: expected a mapping of host names, got a {kind_of(raw)}")
        raw = {}
    hosts: dict[str, Host] = {}
    edges: dict[str, Edge] = {}
    for name in sorted(map(str, {"hub", *raw})):
        _parse(DnsLabel, name, f"hosts.{name}", problems)
        placed, collected = _divided(name, _given(raw, name), problems)
        if name == "hub":
            placed = _of_hub(placed, hub)
        host = _parse(Host, placed, f"hosts.{name}", problems) if placed is not None else None
        edge = _parse(Edge, collected, f"hosts.{name}", problems)
        if host is not None and edge is not None:
            hosts[name], edges[name] = host, edge
    return hosts, edges


def _divided(name: str, entry: Any, problems: list[str]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """One entry of `hosts`: the part that says where the host is (None: unreadable), and the part that says what its
    edge collects."""
    if not isinstance(entry, dict):
        problems.append(f"hosts.{name}: expected a mapping, got a {kind_of(entry)}")
        return None, {}
    keys = [key for key in Host.model_fields if name != "hub" or key in OF_HUB]
    known = [*keys, *Edge.model_fields]
    for key in entry:
        if name == "hub" and key in Host.model_fields and key not in keys:
            problems.append(f"hosts.hub.{key}: not allowed, the hub is placed under `hub`; remove this key")
        elif key not in known:
            problems.append(f"hosts.{name}.{key}: unknown key, expected one of {', '.join(known)}")
    return {k: v for k, v in entry.items() if k in keys}, {k: v for k, v in entry.items() if k in Edge.model_fields}


def _of_hub(placed: dict[str, Any] | None, hub: Hub | None) -> dict[str, Any] | None:
    """The hub's own host: its place is that of the hub. By default its edge pushes inside the hub's own network,
    whatever becomes of its certificate."""
    if hub is None or placed is None:
        return None
    via = "internet" if hub.kind == "local" else "vpc"
    return {"via": via, **placed, **{key: getattr(hub, key) for key in PLACES}}


def _parse(model: Any, raw: Any, path: str, problems: list[str]) -> Any:
    """The parsed value; else what can be read of it without its mistakes, which are added to `problems`."""
    adapter = TypeAdapter(model)
    value = copy.deepcopy(raw)
    mistaken: set[Place] = set()
    taken_out: set[Place] = set()
    holes: list[Place] = []  # what the repair took out and no default replaces: errors above these are its own doing
    while True:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            mistakes = {_place(m["loc"]): m for m in error.errors(include_url=False) if m["type"] != _CONSEQUENCE}
        for place, mistake in mistakes.items():
            own_doing = place in mistaken or any(hole[: len(place)] == place for hole in holes)
            if not own_doing:
                problems.append(sentence(path, place, mistake, model))
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
