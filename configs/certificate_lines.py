"""LogQL for the lines that Caddy writes about the hub's certificate, for rules and dashboards.

The log agent gives the lines of Caddy's TLS loggers a separate stream (configs/render/hub_lines.py) without the access
log: a client cannot write there, and a query over weeks reads few lines. The loggers and messages are those of Caddy
2.11 (modules/caddytls) and its library certmagic 0.25.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import names

if TYPE_CHECKING:
    from configs.settings import Settings

RENEWED = "certificate (obtained|renewed) successfully"
FAILED = "could not get certificate from issuer|certificate is in emergency renewal window; .*"
ANY = f"{RENEWED}|{FAILED}|will retry|final attempt; giving up.*"


def lines(settings: Settings, messages: str, matchers: str = "") -> str:
    """Lines of the TLS loggers of Caddy, on each node of a hub, whose whole message matches `messages`. `matchers`
    begin with a comma."""
    caddy = names.container(settings.prefix, "caddy")
    labels = f'job="{names.CERTIFICATES_JOB}",{names.matcher(settings.hub.hosts)},container="{caddy}"{matchers}'
    return f'{{{labels}}} | json logger="logger", msg="msg" | logger=~"tls([.].*)?" | msg=~"{messages}"'
