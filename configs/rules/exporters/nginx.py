"""Alerts about nginx, from nginx-prometheus-exporter."""

from __future__ import annotations

from configs.rules.counters import COUNT, increase_of
from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds


def _dropped(matchers: str, _: Thresholds) -> str:
    """nginx counts a connection as accepted, and as handled once one of worker_connections was free for it. The page
    reads one counter after the other, so a difference of one may be a connection in between."""
    accepted, handled = (
        increase_of(f"nginx_connections_{name}", f'job="nginx"{matchers}', "10m") for name in ("accepted", "handled")
    )
    return f"round(sum by ({BY}) ({accepted} - {handled})) > 1"


RULES = (
    down(
        "nginx",
        "nginx",
        "nginx_up",
        "The exporter cannot read the stub_status page or is down: nginx stopped, or the page answers with an error.",
    ),
    Alert(
        name="NginxDropsConnections",
        expr=_dropped,
        wait="0s",
        summary="nginx " + SERVER + " dropped " + COUNT + " connections in 10 minutes",
        description="All worker_connections are in use: nginx closes new connections without an answer.",
        board="nginx",
    ),
)
