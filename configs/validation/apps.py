"""Rules about apps whose credentials have two parts, one of which is a secret."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path. A client's certificate is of no use without its key."""
    for host, edge in settings.edges.items():
        for name, app in edge.apps.items():
            path = f"hosts.{host}.apps.{name}.tls"
            if app.tls is not None and app.tls.cert is not None and app.tls.key is None:
                yield (
                    f"{path}.key: missing, this key is required beside `cert`; `make secret KEY={path}.key "
                    "<client.key` sets it"
                )
