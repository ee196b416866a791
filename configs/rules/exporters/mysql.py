"""Alerts about MySQL and MariaDB, from mysqld_exporter."""

from __future__ import annotations

from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds


def _connections(matchers: str, limits: Thresholds) -> str:
    selector = f'{{job="mysql"{matchers}}}'
    used = f"mysql_global_status_threads_connected{selector} / mysql_global_variables_max_connections{selector}"
    return f"max by ({BY}) ({used}) > {limits.mysql_connections}"


RULES = (
    down(
        "mysql",
        "MySQL",
        "mysql_up",
        "The exporter cannot log in or is down: the server stopped, the password changed, or no connection is left.",
    ),
    Alert(
        name="MysqlConnections",
        expr=_connections,
        keys=("mysql_connections",),
        summary="MySQL " + SERVER + " uses {{ $value | humanizePercentage }} of its connections",
        description="When all are in use, new logins fail.",
        board="mysql",
    ),
)
