"""Rules about what a host's collectors cannot do together."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    for host, edge in settings.edges.items():
        if edge.metrics.agent != "vmagent":
            continue
        for name, app in edge.apps.items():
            if app.honor_timestamps:
                yield (
                    f"hosts.{host}.apps.{name}.honor_timestamps: expected false with the metrics agent vmagent, which "
                    "drops a whole request, with samples of other jobs, if the hub refuses one sample in it; remove "
                    f"the key, or set `metrics: {{agent: prometheus}}` for {host}"
                )
