"""What more than one dashboard shows of scrapes."""

from __future__ import annotations

from configs.dashboards.model import ANY_IS_BAD, Query, Stat

FAILED_SCRAPES = Stat(
    title="Failed scrapes",
    description="Targets of the selected hosts whose last scrape failed.",
    unit="none",
    query=Query(expr='count(up{env=~"$env",host=~"$host"} == 0) or vector(0)'),
    steps=ANY_IS_BAD,
)
