"""What the dashboards of all kinds of servers have in common."""

from __future__ import annotations

from configs.dashboards.layout import visible_rows
from configs.dashboards.model import NOT_SHOWN, Column, Table, link

BY = "env, host, server"
NAME = "{{host}} {{server}}"


def selected(job: str) -> str:
    """The matchers of the servers that are selected on the dashboard."""
    return f'job="{job}",env=~"$env",host=~"$host",server=~"$server"'


def overview(
    program: str,
    count: int,
    *,
    columns: tuple[Column, ...],
    sort: str,
    description: str = "Current values. Link: host to Hosts.",
) -> Table:
    """The table of all servers of a program, `count` of which are in the stack file."""
    return Table(
        title=f"{program} overview",
        description=description,
        labels={"env": NOT_SHOWN, "host": "Host", "server": "Server"},
        rows=visible_rows(count),
        columns=columns,
        links={"Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}"))},
        sort=sort,
    )
