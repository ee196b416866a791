"""How an edge authenticates at the hub and at its own targets, and how it verifies the hub.

In the keys of Prometheus' HTTP client configuration, which the agent, Promtail and Alloy share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import names

if TYPE_CHECKING:
    from configs.settings.host import Host
    from configs.settings.hub import Hub


def basic_auth(name: str, host: Host) -> dict[str, str]:
    """A `basic_auth`; each rotation of the password has its own user and file."""
    return {
        "username": names.user(name, host.rotation),
        "password_file": f"{names.SECRETS}/{names.password_file(host.rotation)}",
    }


def scrape_auth() -> dict[str, str]:
    """A `basic_auth` for targets of the same host that demand a password."""
    return {"username": names.SCRAPER, "password_file": f"{names.SECRETS}/{names.SCRAPE_PASSWORD}"}


def tls_config(hub: Hub, folder: str) -> dict[str, str]:
    """A `tls_config`; the certificate of the hub's own CA is in `folder`. A public domain's certificate is one that the
    system trusts."""
    ca = {"ca_file": f"{folder}/{names.HUB_CA}"} if hub.own_ca else {}
    return {**ca, "min_version": "TLS13"}
