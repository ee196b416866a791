"""A reader that takes Grafana's place where the real one cannot be had. It is not Grafana and says so on every page.

It serves only what it parsed from the provisioning files the real Grafana would get, and queries only the data
sources named there. It edits nothing, keeps no database and knows one user, the admin of grafana.ini.
"""

NAME = "Grafana stand-in"
VERSION = "stand-in"
BANNER = (
    "Grafana stand-in — not Grafana: a read-only view of the provisioned data sources and dashboards, "
    "used because the real Grafana could not be fetched on this machine."
)
