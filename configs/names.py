"""Names and addresses that hub and edge must agree on: Docker names, networks, ports inside the containers.

Containers find each other by their full Docker name, never by a short alias: an edge joins the user's own networks,
where a name such as `prometheus` may belong to somebody else.
"""

from __future__ import annotations

PROMETHEUS_PORT = 9090
LOKI_PORT = 3100
GRAFANA_PORT = 3000
ALERTMANAGER_PORT = 9093
CADDY_METRICS_PORT = 2020
CADDY_HTTPS_PORT = 443
CADDY_HTTP_PORT = 80
CADDY_PUSH_PORT = 8080
CADDY_QUERY_PORT = 9080
LOG_AGENT_PORT = 9080
CADVISOR_PORT = 8080
NODE_EXPORTER_PORT = 9100
POSTGRES_EXPORTER_PORT = 9187
SQL_EXPORTER_PORT = 9399

# What the hub is called where no DNS knows it: in the certificate of a hub without a domain, and by edges in its VPC.
NO_DOMAIN = "hub.fleetwatch.internal"

# The log jobs that are fleetwatch's own: containers, the journal, and what the hub writes about changes of a host. The
# last proves nothing about a host's log agent.
DOCKER_JOB, JOURNAL_JOB, CHANGES_JOB = "docker", "journal", "fleetwatch-changes"

METRICS_PUSH = "/api/v1/write"
LOGS_PUSH = "/loki/api/v1/push"

# Where a container finds its configuration and its secrets; both are folders mounted read-only.
SECRETS = "/run/secrets/fleetwatch"
HUB_CA = "hub-ca.crt"
PASSWORD = "password"
DOCKER_SOCKET = "/var/run/docker.sock"  # full control of the host: log agent and cAdvisor alone have it
NOBODY = "nobody"  # Alertmanager's receiver for alerts that nobody receives
ADMIN = "grafana-admin"  # the credential of Grafana's administrator, beside those of hosts


def container(prefix: str, role: str) -> str:
    """`fleetwatch-agent`"""
    return f"{prefix}-{role}"


def address(prefix: str, role: str, port: int) -> str:
    """`fleetwatch-loki:3100`, as seen on a network of fleetwatch."""
    return f"{container(prefix, role)}:{port}"


def hub_network(prefix: str) -> str:
    """The hub's private network."""
    return f"{prefix}-hub"


def edge_network(prefix: str) -> str:
    """The edge's own network."""
    return f"{prefix}-edge"


def cloud(prefix: str, env: str) -> str:
    """The beginning of all names at the cloud, where every environment of an account lives side by side."""
    return f"{prefix}-{env}"


def user(host: str, rotation: int) -> str:
    """The user name of a host at the hub: each password has its own, so that two are valid at once."""
    return f"{host}.{rotation}" if rotation else host


def password_file(rotation: int) -> str:
    """The file with the password of a rotation: each has its own, so that user and password change in one step."""
    return f"{PASSWORD}-{rotation}" if rotation else PASSWORD
