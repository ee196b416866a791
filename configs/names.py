"""Names and addresses that hub and edge must agree on: Docker names, networks, ports inside the containers.

Containers address each other by their full Docker name, never by a short alias: an edge joins the user's networks,
where a name such as `prometheus` may belong to a container of the user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

PROMETHEUS_PORT = 9090
LOKI_PORT = 3100
LOKI_FLUSH_CHECK = (
    5  # seconds between the looks of Loki for chunks that it may write, or forget because they are written
)
GRAFANA_PORT = 3000
ALERTMANAGER_PORT = 9093
CADDY_METRICS_PORT = 2020
CADDY_HTTPS_PORT = 443
CADDY_HTTP_PORT = 80
CADDY_PUSH_PORT = 8080
CADDY_QUERY_PORT = 9080
CADDY_SOURCES_PORT = 9081  # the same for Grafana's data sources, on the hub's network
LOG_AGENT_PORT = 9080
CADVISOR_PORT = 8080
NODE_EXPORTER_PORT = 9100
POSTGRES_EXPORTER_PORT = 9187
SQL_EXPORTER_PORT = 9399
BLACKBOX_PORT = 9115
BACKUP_PORT = 9188
ASK, ASK_INNER = "ask", ("ask-database", "ask-cache")  # roles
RECEIVE_PORT = 19291  # remote write
RECEIVE_CAPNPROTO_PORT = 19391  # it listens there by default; nothing uses it
RULE_GRPC_PORT = 10911  # on its host's private address; Receive has THANOS_GRPC_PORT there
LOKI_GRPC_PORT = 9095
LOKI_GOSSIP_PORT = 7946
ALERTMANAGER_GOSSIP_PORT = 9094  # TCP and UDP
THANOS_PORT = 10902  # of its parts, but Query
THANOS_GRPC_PORT = 10901
ASK_PORT = 8080
ASK_METRICS_PORT = 8081
ASK_DATABASE_PORT = 5432
ASK_CACHE_PORT = 6379

# The hub's name where it has no DNS record: in the certificate of a hub without a domain, and for edges in its VPC.
NO_DOMAIN = "hub.fleetwatch.internal"

FILES = "/var/lib/fleetwatch"  # the folder for rendered files on a host whose `server.files` names no other

# The folder with the hosts file of a cluster's nodes, in a host's folder for rendered files.
NODES = "nodes"
# In a container's arguments: the private address of its host, which its writer puts in their place.
PRIVATE_ADDRESS = "{private_address}"

# The log jobs that fleetwatch defines: containers, the journal, and the hub's lines about changes of a host. The hub
# writes the last, so its lines do not prove that a host's log agent works.
DOCKER_JOB, JOURNAL_JOB, CHANGES_JOB = "docker", "journal", "fleetwatch-changes"
# Lines of the hub's Caddy about certificates, and of its Grafana about who signed in and changed what.
CERTIFICATES_JOB, AUDIT_JOB = "fleetwatch-certificates", "fleetwatch-audit"
RARE_JOBS = (CHANGES_JOB, CERTIFICATES_JOB, AUDIT_JOB)  # a day without a line is no fault

METRICS_PUSH = "/api/v1/write"
LOGS_PUSH = "/loki/api/v1/push"

# Over `<label of Compose>;<fleetwatch.stack>`: a label of the user's containers. An edge of ours has Compose's labels
# too, but is no project of the user: in metrics and logs its containers have neither.
USERS_LABEL = "(.+);"

BucketPurpose = Literal["backup", "data"]  # of a bucket that the program makes at Spaces
BUCKET_LIMIT, BUCKET_SUFFIX = 63, 8  # characters of a bucket's name, and how many of them are random

# The folder of an edge's Compose project, in the host's folder for rendered files.
PROJECT = "edge"

# The folder of a container's secrets, mounted read-only like that of its configuration, and names of files in them.
SECRETS = "/run/secrets/fleetwatch"
HUB_CA = "hub-ca.crt"
PASSWORD = "password"
DOCKER_HOST = "host.docker.internal"  # the host itself, as seen from containers that reach what the user runs
DOCKER_SOCKET = "/var/run/docker.sock"  # full control of the host: only the log agent and cAdvisor mount it
NOBODY = "nobody"  # Alertmanager's receiver without an integration: its alerts are not sent
SCRAPE_PASSWORD = "scrape-password"  # of an edge's agent, for targets that demand one  # pragma: allowlist secret
SCRAPER = "agent"  # its user name
# Files with the assistant's secrets; each is also the name of the resource that makes it.
ASK_DATABASE_PASSWORD = "ask-database-password"  # pragma: allowlist secret
ASK_CACHE_PASSWORD = "ask-cache-password"  # pragma: allowlist secret
ASK_SESSION_KEY = "ask-session-key"  # pragma: allowlist secret
ASK_ADMIN_PASSWORD = "ask-admin-password"  # pragma: allowlist secret
ASK_MODEL_KEY = "ask-model-key"  # pragma: allowlist secret
ASK_EMBEDDINGS_KEY = "ask-embeddings-key"  # pragma: allowlist secret
ASK_SECRETS = (ASK_DATABASE_PASSWORD, ASK_CACHE_PASSWORD, ASK_SESSION_KEY, ASK_ADMIN_PASSWORD)
GRAFANA_KEY = "grafana-secret-key"  # pragma: allowlist secret
ADMIN = "grafana-admin"  # the credential of Grafana's administrator, stored beside those of hosts


def container(prefix: str, role: str) -> str:
    """`fleetwatch-agent`"""
    return f"{prefix}-{role}"


def address(prefix: str, role: str, port: int) -> str:
    """`fleetwatch-loki:3100`, the address on fleetwatch's networks."""
    return f"{container(prefix, role)}:{port}"


def node(name: str) -> str:
    """The name by which the nodes of a cluster reach this one; a hosts file of ours resolves it."""
    return f"node-{name}.fleetwatch.internal"


def matcher(hosts: Sequence[str]) -> str:
    """The matcher of PromQL and LogQL for what these hosts sent."""
    return f'host=~"{"|".join(hosts)}"' if len(hosts) > 1 else f'host="{hosts[0]}"'


def hub_network(prefix: str) -> str:
    """The hub's private network."""
    return f"{prefix}-hub"


def ask_network(prefix: str) -> str:
    """The network of the assistant's database and cache. It leads nowhere else."""
    return f"{prefix}-ask"


def edge_network(prefix: str) -> str:
    """The edge's network."""
    return f"{prefix}-edge"


def cloud(prefix: str, env: str) -> str:
    """The prefix of all names of cloud resources: the environments of one account share its name space."""
    return f"{prefix}-{env}"


def bucket(prefix: str, env: str, purpose: BucketPurpose) -> str:
    """How the name of a bucket begins; BUCKET_SUFFIX random characters follow: all customers of Spaces
    share one name space."""
    return f"{cloud(prefix, env)}-{purpose}-"


def is_bucket(name: str) -> bool:
    """Whether S3 accepts a bucket of this name."""
    return re.fullmatch(rf"[a-z0-9][a-z0-9-]{{1,{BUCKET_LIMIT - 2}}}[a-z0-9]", name) is not None


def user(host: str, rotation: int) -> str:
    """The user name of a host at the hub. Each rotation has a separate one, so that two passwords are valid at once."""
    return f"{host}.{rotation}" if rotation else host


def password_file(rotation: int) -> str:
    """The file with the password of a rotation. Each has a separate file: user and password change in one step."""
    return f"{PASSWORD}-{rotation}" if rotation else PASSWORD
