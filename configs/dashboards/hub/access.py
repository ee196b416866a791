"""Row about who signed in to Grafana and changed what, from its request log: Grafana's open-source edition has no audit
log."""

from __future__ import annotations

from configs import names
from configs.dashboards.model import ANY_IS_WORTH_A_LOOK, LOKI, Logs, Query, Row, Stat
from configs.settings import Settings

KEYS = " | json " + ", ".join(f'{key}="{key}"' for key in ("uname", "method", "path", "status", "remote_addr"))
SHOWN = '{{ or .uname "(not signed in)" }} {{ .method }} {{ .path }} {{ .status }} from {{ .remote_addr }}'
NO_LINES = "a user has to sign in to Grafana first"


def row(settings: Settings) -> Row:
    """Of all nodes of the hub: each has a Grafana."""
    stream = f'{{job="{names.AUDIT_JOB}",{names.matcher(settings.hub.hosts)}}}'
    return Row(
        title="Access to Grafana",
        height=6,
        panels=(
            Stat(
                title="Refused sign-ins",
                description="Sign-ins with a wrong user name or password in the last day.",
                unit="none",
                width=5,
                source=LOKI,
                no_value="none",
                query=Query(
                    expr=f'sum(count_over_time({stream}{KEYS} | path="/login" | status="401" [1d])) or vector(0)',
                    empty=NO_LINES,
                ),
                steps=ANY_IS_WORTH_A_LOOK,
            ),
            Logs(
                title="Grafana sign-ins and changes",
                description="User, request, status and address of the last seven days: sign-ins, changes, and the "
                "pages that a signed-in user opened.",
                time_from="7d",
                expr=f"{stream}{KEYS} | line_format `{SHOWN}`",
                no_value="no sign-in within seven days",
                empty=NO_LINES,
            ),
        ),
    )
