"""The hub's certificate, from Caddy's own lines: Caddy has no metric of it (2.11).

Loki keeps lines for as long as the stack file says and looks through at most 30 days of them at once: of a certificate
that is older, the page says that it is.
"""

from __future__ import annotations

from configs import certificate_lines
from configs.dashboards.model import ANY_IS_BAD, LOKI, Logs, Query, Row, Stat
from configs.settings import Settings

FAR = "30d"
SHOWN_IN = "test_the_hubs_page_shows_how_old_caddys_certificate_is has lines of it"
NOT_LATELY = f"a public certificate is renewed every 60 days, and without HTTPS there is none; {SHOWN_IN}"
QUIET = f"Caddy writes no line while nobody opens Grafana and nothing is renewed; {SHOWN_IN}"
NO_LINES = f"Caddy says nothing of a certificate until it gets one; {SHOWN_IN}"
# From one line to now, by Loki's clock.
AGE = "{{ sub (unixEpoch now) (unixEpoch __timestamp__) }}"


def row(settings: Settings) -> Row:
    """How old it is, whether renewals fail, and what Caddy says of both."""
    got = certificate_lines.lines(settings.prefix, certificate_lines.RENEWED)
    failed = certificate_lines.lines(settings.prefix, certificate_lines.FAILED)
    said = certificate_lines.lines(settings.prefix, certificate_lines.ANY)
    return Row(
        heading="Certificate",
        height=6,
        panels=(
            Stat(
                title="Age of the certificate",
                about="Since Caddy last got or renewed one, by its own lines of the last 30 days. A public one lives "
                "90 days and is renewed after 60; one of Caddy's own authority lives 12 hours.",
                unit="s",
                width=5,
                source=LOKI,
                nothing="more than 30 days, or none",
                query=Query(
                    expr=f"min(min_over_time({got} | label_format age=`{AGE}` | unwrap age [{FAR}]))",
                    empty=NOT_LATELY,
                ),
            ),
            Stat(
                title="Failed renewals",
                about="Attempts of the last day to get or renew one that failed. Caddy tries again by itself.",
                unit="none",
                width=5,
                source=LOKI,
                nothing="none",
                query=Query(expr=f"sum(count_over_time({failed} [1d])) or vector(0)", empty=QUIET),
                steps=ANY_IS_BAD,
            ),
            Logs(
                title="What Caddy says of its certificate",
                about="Its lines of the last seven days about getting and renewing it, and why that failed.",
                back="7d",
                expr=said,
                nothing="nothing within seven days",
                empty=NO_LINES,
            ),
        ),
    )
