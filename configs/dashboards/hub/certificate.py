"""Row about the hub's certificate, from Caddy's log: Caddy 2.11 exposes no metric for it.

Loki's retention and its limit of 30 days per query bound the age that can be shown.
"""

from __future__ import annotations

from configs import certificate_lines
from configs.dashboards.model import ANY_IS_BAD, LOKI, Logs, Query, Row, Stat
from configs.settings import Settings

FAR = "30d"
NOT_RENEWED = "a public certificate is renewed every 60 days, and there is none without HTTPS"
NO_LINES = "Caddy logs nothing without requests and renewals"
NO_CERTIFICATE_LINES = "Caddy logs nothing about certificates before it obtains one"
# From the line's timestamp to now, by Loki's clock.
AGE = "{{ sub (unixEpoch now) (unixEpoch __timestamp__) }}"


def row(settings: Settings) -> Row:
    """Age of the certificate, failed renewals, and Caddy's log lines about both."""
    got = certificate_lines.lines(settings, certificate_lines.RENEWED)
    failed = certificate_lines.lines(settings, certificate_lines.FAILED)
    age = f"min_over_time({got} | label_format age=`{AGE}` | unwrap age [{FAR}])"
    events = certificate_lines.lines(settings, certificate_lines.ANY)
    return Row(
        title="Certificate",
        height=6,
        panels=(
            Stat(
                title="Certificate age",
                description="Time since Caddy last obtained or renewed a certificate, from its log of the last 30 "
                "days. A public certificate is valid for 90 days and renewed after 60; one of Caddy's own CA is valid "
                "for 12 hours.",
                unit="s",
                width=5,
                source=LOKI,
                no_value="over 30 days, or no certificate",
                query=Query(
                    expr=f"max(min by (host) ({age}))" if settings.hub.nodes else f"min({age})",
                    empty=NOT_RENEWED,
                ),
            ),
            Stat(
                title="Failed renewals",
                description="Failed attempts to obtain or renew a certificate in the last day. Caddy retries "
                "automatically.",
                unit="none",
                width=5,
                source=LOKI,
                no_value="none",
                query=Query(expr=f"sum(count_over_time({failed} [1d])) or vector(0)", empty=NO_LINES),
                steps=ANY_IS_BAD,
            ),
            Logs(
                title="Certificate log",
                description="Caddy's log lines of the last seven days about obtaining and renewing certificates.",
                time_from="7d",
                expr=events,
                no_value="no lines within seven days",
                empty=NO_CERTIFICATE_LINES,
            ),
        ),
    )
