"""The exporters of an edge: arguments, and the few files they read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from configs import names
from configs.render.dump import to_yaml


def node_command(gateway: str) -> list[str]:
    """Node exporter shares the host's network to see its interfaces; it listens on the edge network's gateway alone."""
    return [
        f"--web.listen-address={gateway}:{names.NODE_EXPORTER_PORT}",
        f"--web.config.file={names.SECRETS}/web.yml",
        "--path.rootfs=/host",
        "--path.procfs=/host/proc",
        "--path.sysfs=/host/sys",
        # Docker's own mounts and interfaces come and go with every container and are cAdvisor's business.
        "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|var/lib/docker/.+|var/lib/containerd/.+)($|/)",
        "--collector.netclass.ignored-devices=^(veth.*|br-.*|docker0)$",
        "--collector.netdev.device-exclude=^(veth.*|br-.*|docker0)$",
    ]


def node_web(accepted: Mapping[str, str]) -> str:
    """Basic auth (bcrypt by user name): other containers and the host's own users can reach the address, only the agent
    has the password."""
    return to_yaml({"basic_auth_users": dict(sorted(accepted.items()))})


def cadvisor_command() -> list[str]:
    """What costs much and answers little is off (facts: section 8); labels are the two that compose sets."""
    return [
        f"--port={names.CADVISOR_PORT}",
        "--docker_only=true",
        "--housekeeping_interval=10s",
        "--store_container_labels=false",
        "--whitelisted_container_labels=com.docker.compose.project,com.docker.compose.service",
        "--disable_metrics=advtcp,cpu_topology,cpuset,disk,hugetlb,memory_numa,percpu,perf_event,process,referenced_memory,"
        "resctrl,sched,tcp,udp",
    ]


def connection_defaults(dsn: str) -> dict[str, str]:
    """What every connection to a database gets unless its DSN says otherwise: a `connect_timeout`, and an `sslmode`,
    none for a container (a name without a dot), required for any other. Older exporters know no `prefer`."""
    name = urlsplit(dsn).hostname or ""
    return {"sslmode": "require" if "." in name or ":" in name else "disable", "connect_timeout": "5"}


def postgres_command() -> list[str]:
    """Arguments of a PostgreSQL exporter. Its connection comes from the files below."""
    return [f"--web.listen-address=:{names.POSTGRES_EXPORTER_PORT}"]


def postgres_env() -> list[str]:
    """Where the exporter finds its connection: paths, no secrets."""
    return [
        f"DATA_SOURCE_URI_FILE={names.SECRETS}/uri",
        f"DATA_SOURCE_USER_FILE={names.SECRETS}/user",
        f"DATA_SOURCE_PASS_FILE={names.SECRETS}/password",
    ]


def postgres_secrets(dsn: str) -> dict[str, str]:
    """The three files that postgres_exporter makes a DSN of. It escapes user and password itself.

    A connection without `statement_timeout` could hang the exporter, so it has a default besides the others.
    """
    parts = urlsplit(dsn)
    name = parts.hostname or ""
    defaults = {**connection_defaults(dsn), "statement_timeout": "10000"}
    given = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = [f"{key}={value}" for key, value in defaults.items() if key not in given]
    query = "&".join([*([parts.query] if parts.query else []), *more])
    host = f"[{name}]" if ":" in name else name
    return {
        "uri": f"{host}:{parts.port or 5432}/{quote(unquote(parts.path.lstrip('/')))}?{query}",
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
