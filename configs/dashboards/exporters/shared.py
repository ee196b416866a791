"""What the dashboards of all kinds of servers have in common."""

from __future__ import annotations

BY = "env, host, server"
NAME = "{{host}} {{server}}"


def selected(job: str) -> str:
    """The matchers of the servers that are selected on the dashboard."""
    return f'job="{job}",env=~"$env",host=~"$host",server=~"$server"'
