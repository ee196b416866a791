"""The drawings of docs/architecture.md, made from the code: `python -m tests.drawing` writes them.

What imports what is read from the modules; what runs where is what the program registers for a small fleet. A test
compares the page with what this makes, so that it cannot show another program.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from configs import services
from configs.services.context import Context
from configs.settings import load
from tests.component.program import Run, run
from tests.fixtures.fleets import SOURCE, fleet
from tests.fixtures.full import ROOT

PAGE = ROOT / "docs" / "architecture.md"
LAYERS = ("__main__", "ask", "components", "configs", "localcloud", "policy", "tools")
SETTINGS = fleet(
    hosts={
        "web-1": {"droplet": {}, "postgres": {"main": {"dsn": "postgresql://watch:x@db:5432/shop"}}},
        "vps-1": {"server": {"address": "203.0.113.7"}, "via": "internet"},
    }
)


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _modules(layer: str) -> list[Path]:
    return [ROOT / "__main__.py"] if layer == "__main__" else sorted((ROOT / layer).rglob("*.py"))


def folders() -> str:
    """Which part of the project imports which, and how many of its modules do."""
    lines = ["flowchart LR"]
    for layer in LAYERS:
        if modules := _modules(layer):
            lines.append(f'    {layer.strip("_")}["{layer if layer != "__main__" else "__main__.py"}"]')
            for other in LAYERS:
                count = sum(any(re.match(rf"{other}(\.|$)", name) for name in _imported(path)) for path in modules)
                if count and other != layer:
                    lines.append(f"    {layer.strip('_')} -->|{count}| {other.strip('_')}")
    return "\n".join(lines)


def _containers(made: Run) -> dict[str, dict[str, list[str]]]:
    """The published ports of every container by host and role: of the hub's resources, and of the edges' projects."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for one in made.containers.values():
        inputs = one.plain()
        labels = {label["label"]: label["value"] for label in inputs["labels"]}
        ports = [f"{port.get('ip') or '0.0.0.0'}:{port['external']:.0f}" for port in inputs.get("ports", [])]
        found[labels["fleetwatch.host"]][labels["fleetwatch.role"]] = ports
    for service in made.services.values():
        labels = service["labels"]
        ports = [f"{port['host_ip']}:{port['published']}" for port in service.get("ports", [])]
        found[labels["fleetwatch.host"]][labels["fleetwatch.role"]] = ports
    return found


def running() -> str:
    """The containers of a hub droplet, a droplet in its network and a server on the internet, as registered."""
    with pytest.MonkeyPatch.context() as patch:
        made = run(SETTINGS, patch)
    settings = load(SETTINGS, SOURCE)
    hosts = _containers(made)
    lines = ["flowchart TB"]
    for host in sorted(hosts, key=lambda name: (name != "hub", name)):
        lines.append(f'    subgraph {_id(host)}["{host}"]')
        for role, ports in sorted(hosts[host].items()):
            published = "".join(f"<br/>{port}" for port in ports)
            lines.append(f'        {_id(host, role)}["{role}{published}"]')
        lines.append("    end")
    for host in sorted(hosts):
        edge = services.edge_specs(Context(settings=settings, name=host))
        for role in sorted(spec.role for spec in edge if spec.pushes):
            lines.append(f"    {_id(host, role)} -->|push| {_id('hub', 'caddy')}")
        for role in sorted(spec.role for spec in edge if spec.scrape and not spec.pushes):
            lines.append(f"    {_id(host, 'agent')} -.->|scrape| {_id(host, role)}")
    for role, word in (("prometheus", "metrics"), ("loki", "logs"), ("grafana", "people"), ("alertmanager", "people")):
        lines.append(f"    {_id('hub', 'caddy')} -->|{word}| {_id('hub', role)}")
    return "\n".join(lines)


def _id(*words: str) -> str:
    return "_".join(words).replace("-", "_")


def page() -> str:
    """The page's text with both drawings as they are now."""
    text = PAGE.read_text()
    for name, drawing in (("folders", folders()), ("running", running())):
        begin, end = f"<!-- drawing {name} -->", f"<!-- end of drawing {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n```mermaid\n{drawing}\n```\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
