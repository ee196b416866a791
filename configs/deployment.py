"""What the services of a host are made from: the settings, and what other parts of configs render for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from configs import catalogue, dashboards, disk, names, rules
from configs.custom.rule_files import deployed_name
from configs.deploy import script
from configs.services.context import Context
from configs.settings import Settings

FIRST_NODE = "FLEETWATCH_FIRST_NODE"  # a variable: the host of the node that an update changes first; the tools set it


def context(settings: Settings, name: str, base: str, docker_socket: str) -> Context:
    """The context of the host `name`. `base`: the folder on it for rendered files; `docker_socket`: its Docker's."""
    if name not in settings.hub.hosts:
        return Context(settings=settings, name=name, base=base, docker_socket=docker_socket)
    custom = settings.custom
    boards = cache(lambda: dashboards.render(settings))
    metric_rules = cache(lambda site: rules.files(settings, site))
    log_rules = cache(lambda site: rules.log_files(settings, site))

    def of(found: Callable[[str], dict[str, str]], file: str) -> Callable[[str], str]:
        return lambda site: found(site)[file]

    def board(file: str) -> Callable[[], str]:
        return lambda: boards()[file]

    return Context(
        settings=settings,
        name=name,
        base=base,
        docker_socket=docker_socket,
        rules={**{file: of(metric_rules, file) for file in metric_rules("")}, **_custom_rules(custom.rules)},
        log_rules={**{file: of(log_rules, file) for file in log_rules("")}, **_custom_rules(custom.log_rules)},
        dashboards={file: board(file) for file in boards()},
        catalogue=lambda: catalogue.render(settings),
        metrics_size=disk.metrics_size(settings),
    )


def _custom_rules(files: Mapping[str, str]) -> dict[str, Callable[[str], str]]:
    """Rule files of the user, as they are."""

    def as_it_is(text: str) -> Callable[[str], str]:
        return lambda _: text

    return {deployed_name(name): as_it_is(text) for name, text in files.items()}


def site_name(settings: Settings) -> str | None:
    """The hub's name for those outside. None: no name of it resolves, its address is used."""
    hub = settings.hub
    return hub.domain if hub.public or hub.kind == "local" else None


def node_hosts(addresses: Mapping[str, str]) -> str:
    """The hosts file of the containers that reach other nodes: the names of all, with the private addresses of their
    hosts. Docker's own lines are not in it: a container of ours does not look for itself."""
    own = "127.0.0.1 localhost\n::1 localhost\n"
    return own + "".join(f"{address} {names.node(node)}\n" for node, address in sorted(addresses.items()))


def ring_view(settings: Settings, base: str) -> str:
    """The script that reports what a node of a cluster knows of the rings. `base`: the folder on it for rendered
    files."""
    hosts = f"{base}/{names.NODES}/hosts"
    return script("ring_view", PREFIX=settings.prefix, COUNT=str(len(settings.hub.nodes)), HOSTS=hosts)


def gone(settings: Settings) -> str:
    """For ring.sh: what to do about a node whose server is gone permanently; empty: the nodes are droplets."""
    if settings.hub.server is None:
        return ""
    others = ", ".join(f"`nodes.{node}.server` ({host})" for host, node in list(settings.hub.nodes.items())[1:])
    return f"if its server is gone permanently, give its key another machine: `hub.server` (hub), {others}"
