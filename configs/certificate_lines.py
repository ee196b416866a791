"""LogQL for the lines that Caddy writes about the hub's certificate, for rules and dashboards.

The log agent gives the lines of Caddy's TLS loggers a separate stream (configs/render/hub_lines.py) without the access
log: a client cannot write there, and a query over weeks reads few lines. The loggers and messages are those of Caddy
2.11 (modules/caddytls) and its library certmagic 0.25.
"""

from __future__ import annotations

from configs import names

RENEWED = "certificate (obtained|renewed) successfully"
FAILED = "could not get certificate from issuer|certificate is in emergency renewal window; .*"
ANY = f"{RENEWED}|{FAILED}|will retry|final attempt; giving up.*"


def lines(prefix: str, messages: str, matchers: str = "") -> str:
    """Lines of Caddy's TLS loggers whose whole message matches `messages`. `matchers` begin with a comma."""
    labels = f'job="{names.CERTIFICATES_JOB}",host="hub",container="{names.container(prefix, "caddy")}"{matchers}'
    return f'{{{labels}}} | json logger="logger", msg="msg" | logger=~"tls([.].*)?" | msg=~"{messages}"'
