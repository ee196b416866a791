"""A read-only replacement for Grafana where the real one cannot be fetched. Every page shows that it is not Grafana.

It serves only the content of the provisioning files that the real Grafana would read, and queries only the data
sources in them. It edits nothing and has one user, the admin of grafana.ini. Where that has a PostgreSQL, the sessions
are in it, so that they outlive a node; nothing else is.
"""

NAME = "Grafana stand-in"
VERSION = "stand-in"
BANNER = (
    "Grafana stand-in — not Grafana: a read-only view of the provisioned data sources and dashboards, "
    "used because the real Grafana could not be fetched on this machine."
)
