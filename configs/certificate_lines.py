"""LogQL for the lines that Caddy writes about the hub's certificate, for rules and dashboards.

Caddy writes one JSON object per line. Its access log goes to the same stream and repeats what any client sent (path,
user agent, headers). The queries therefore match the parsed keys `logger` and `msg`, never the raw line. The loggers
and messages are those of Caddy 2.11 (modules/caddytls) and its library certmagic 0.25.
"""

from __future__ import annotations

from configs import names

RENEWED = "certificate (obtained|renewed) successfully"
FAILED = "could not get certificate from issuer|certificate is in emergency renewal window; .*"
ANY = f"{RENEWED}|{FAILED}|will retry|final attempt; giving up.*"


def lines(prefix: str, messages: str, matchers: str = "") -> str:
    """Lines of Caddy's TLS loggers whose whole message matches `messages`. `matchers` begin with a comma.

    The first filter only avoids parsing most access lines; the parsed keys decide about the lines that pass it.
    """
    stream = f'{{container="{names.container(prefix, "caddy")}"{matchers}}}'
    return f'{stream} |= "tls" | json logger="logger", msg="msg" | logger=~"tls([.].*)?" | msg=~"{messages}"'
