"""Row about the assistant, on stacks that have one."""

from __future__ import annotations

from configs.dashboards.model import Graph, Query, Row
from configs.rules.ask import JOB
from configs.settings import Settings

_SELECTED = f'{JOB},env=~"$env"'


def rows(settings: Settings) -> tuple[Row, ...]:
    """What it needs, and the questions that it is sent."""
    if settings.hub.ask is None:
        return ()
    components = Graph(
        title="Assistant's components",
        description="1 if the assistant reaches a component, 0 if not.",
        unit="none",
        queries=(Query(expr=f"min by (component) (ask_component_up{{{_SELECTED}}})", legend="{{component}}"),),
    )
    requests = Graph(
        title="Requests to the assistant",
        description="Requests per second of its HTTP service, by status code.",
        unit="reqps",
        no_value="No requests yet",
        queries=(
            Query(
                expr=f"sum by (status) (rate(http_requests_total{{{_SELECTED}}}[$__rate_interval]))",
                legend="{{status}}",
                empty="the assistant has had no request",
            ),
        ),
    )
    return (Row(title="Assistant", panels=(components, requests)),)
