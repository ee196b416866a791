"""Paths of Grafana whose last part gives access to whoever knows it, for logs that leave that part out.

Invitations, links to snapshots and to public dashboards. Queries (OAuth codes, codes to reset a password) are left out
of logs as a whole.
"""

from __future__ import annotations

REDACTED = "REDACTED"
# RE2, without a group that captures: up to the part that is the secret.
SECRET_PATH = (
    r"(?i:/(?:invite|invites|snapshot|snapshots|snapshots-delete|dashboardsnapshots|public-dashboards"
    r"|public/dashboards|bootdata)/)"
)
