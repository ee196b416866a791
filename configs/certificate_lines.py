"""LogQL for the lines that Caddy writes about the hub's certificate, for rules and dashboards.

Caddy writes one JSON object a line; its access log stands in the same stream and repeats what a stranger sent (path,
user agent, headers). So a line counts by its own keys `logger` and `msg`, never by its text. The loggers and messages
are those of Caddy 2.11 (modules/caddytls) and its library certmagic 0.25.
"""

from __future__ import annotations

from configs import names

RENEWED = "certificate (obtained|renewed) successfully"
FAILED = "could not get certificate from issuer|certificate is in emergency renewal window; .*"
ANY = f"{RENEWED}|{FAILED}|will retry|final attempt; giving up.*"


def lines(prefix: str, messages: str, matchers: str = "") -> str:
    """Lines of Caddy's TLS loggers whose whole message matches `messages`. `matchers` begin with a comma.

    The first filter only saves the parsing of most access lines: a line that passes it is judged by its keys.
    """
    stream = f'{{container="{names.container(prefix, "caddy")}"{matchers}}}'
    return f'{stream} |= "tls" | json logger="logger", msg="msg" | logger=~"tls([.].*)?" | msg=~"{messages}"'
