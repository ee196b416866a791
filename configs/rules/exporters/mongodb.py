"""Alerts about MongoDB, from mongodb_exporter."""

from __future__ import annotations

from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds


def _connections(matchers: str, limits: Thresholds) -> str:
    def of(kind: str) -> str:
        return f'max by ({BY}) (mongodb_ss_connections{{job="mongodb",conn_type="{kind}"{matchers}}})'

    return f"{of('current')} / ({of('current')} + {of('available')}) > {limits.mongodb_connections}"


RULES = (
    down(
        "mongodb",
        "MongoDB",
        "mongodb_up",
        "The exporter cannot log in or is down: the server stopped, the password changed, or no connection is left.",
    ),
    Alert(
        name="MongodbConnections",
        expr=_connections,
        keys=("mongodb_connections",),
        summary="MongoDB " + SERVER + " uses {{ $value | humanizePercentage }} of its connections",
        description="When all are in use, new connections fail.",
        board="mongodb",
    ),
)
