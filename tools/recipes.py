"""How each image is put together offline: the vendor's user, paths, entrypoint and command around our own build.

What differs from the vendor's image is in `differs`, which becomes a label of the image. Not covered: Alloy and
TimescaleDB, which no package registry has. The places of Grafana and sql_exporter are taken by readers that say so in
their names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from configs.images import LOCAL
from tools import gobuild
from tools.builds import BUILDS
from tools.paths import CHECKOUT

NOBODY = 65534
_REVISION = "1"  # raise it when rootfs.py or assemble.py change what an unchanged recipe gives
PYTHON = ("python3", "python3-yaml", "ca-certificates", "base-files", "tzdata")
_GRAFANA = "localcloud/standins/grafana"
_SQL = "localcloud/standins/sql"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image. Paths have no leading slash; directories are (path, owner, mode)."""

    tag: str
    differs: str
    programs: dict[str, str] = field(default_factory=dict)  # path -> key of builds.BUILDS
    capability: str = ""  # path of the program that may bind low ports
    busybox: bool = False
    packages: tuple[str, ...] = ()  # Debian packages with all they depend on
    # The same, but a whole system, installed by the script (debian.py). Not in repr: the other images keep their keys.
    installed: tuple[str, ...] = field(default=(), repr=False)
    install_script: str = field(default="", repr=False)
    release: str = field(default="", repr=False)  # of Debian for `packages`, where it is not this machine's
    deb_files: dict[str, tuple[str, str]] = field(default_factory=dict)  # path -> (package, path in it)
    certificates: bool = False  # the CA bundle alone, without the package's tools
    texts: dict[str, str] = field(default_factory=dict)  # written executable when it starts with #!
    trees: dict[str, str] = field(default_factory=dict)  # path -> folder of the checkout
    wheels: str = ""  # requirements file of the checkout, installed to app/lib
    compile: tuple[str, ...] = ()  # Python folders to compile once, so that a container starts quickly
    dirs: tuple[tuple[str, int, int], ...] = ()
    users: dict[str, tuple[int, int]] = field(default_factory=dict)
    changes: tuple[str, ...] = ()  # Dockerfile instructions for `docker import --change`

    @property
    def ref(self) -> str:
        """The tag contains the hash of the contents, so that Pulumi sees a rebuilt image as a change."""
        return f"{LOCAL}{self.tag}-{self.key()[:8]}"

    def key(self) -> str:
        """Hash of all that goes in; kept as a label, so that an image is rebuilt exactly when this changes."""
        digest = hashlib.sha256(f"{_REVISION} {self!r}".encode())
        if self.release:
            digest.update(self.release.encode())
        if self.installed:
            digest.update(repr((self.installed, self.install_script)).encode())
        for build in self.programs.values():
            digest.update(gobuild.key(build).encode())
        for folder in self.trees.values():
            digest.update(tree_hash(CHECKOUT / folder).encode())
        if self.wheels:
            digest.update((CHECKOUT / self.wheels).read_bytes())
        return digest.hexdigest()[:16]


def tree_hash(folder: Path) -> str:
    """Content hash of a folder of sources, without Python's caches."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _version(build: str) -> str:
    return BUILDS[build].version.removeprefix("v")


def script(name: str) -> str:
    """A script kept beside the Go modules of the offline builds."""
    return (CHECKOUT / "tools" / "offline" / name).read_text()


def _prometheus() -> Recipe:
    return Recipe(
        tag=f"prometheus:{_version('prometheus')}-offline",
        differs="no web page (its API answers); service discovery: Docker and DNS only; no example configuration",
        programs={"bin/prometheus": "prometheus", "bin/promtool": "promtool"},
        busybox=True,
        dirs=(("etc/prometheus", NOBODY, 0o755), ("prometheus", NOBODY, 0o775)),
        changes=(
            "USER nobody", "EXPOSE 9090", "VOLUME /prometheus", "WORKDIR /prometheus", 'ENTRYPOINT ["/bin/prometheus"]',
            'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
        ),
    )  # fmt: skip


def _thanos() -> Recipe:
    return Recipe(
        tag=f"thanos:{_version('thanos')}-offline",
        differs="nothing else than the build",
        programs={"bin/thanos": "thanos"},
        busybox=True,
        certificates=True,
        users={"thanos": (1001, 1001)},
        changes=("USER 1001", 'ENTRYPOINT ["/bin/thanos"]'),
    )


def _vmagent() -> Recipe:
    return Recipe(
        tag=f"vmagent:{_version('vmagent')}-offline",
        differs="busybox of Debian instead of Alpine",
        programs={"vmagent-prod": "vmagent"},
        busybox=True,
        certificates=True,
        changes=("EXPOSE 8429", 'ENTRYPOINT ["/vmagent-prod"]'),
    )


def _alertmanager() -> Recipe:
    return Recipe(
        tag=f"alertmanager:{_version('alertmanager')}-offline",
        differs="a placeholder instead of the web page; no example configuration",
        programs={"bin/alertmanager": "alertmanager", "bin/amtool": "amtool"},
        busybox=True,
        dirs=(("etc/alertmanager", NOBODY, 0o755), ("alertmanager", NOBODY, 0o775)),
        changes=(
            "USER nobody", "EXPOSE 9093", "VOLUME /alertmanager", "WORKDIR /alertmanager",
            'ENTRYPOINT ["/bin/alertmanager"]',
            'CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]',
        ),
    )  # fmt: skip


def _caddy() -> Recipe:
    return Recipe(
        tag=f"caddy:{_version('caddy')}-offline",
        differs="busybox of Debian instead of Alpine; no example Caddyfile and page",
        programs={"usr/bin/caddy": "caddy"},
        capability="usr/bin/caddy",
        busybox=True,
        certificates=True,
        dirs=(("config/caddy", 0, 0o755), ("data/caddy", 0, 0o755), ("etc/caddy", 0, 0o755), ("srv", 0, 0o755)),
        changes=(
            "ENV XDG_CONFIG_HOME=/config", "ENV XDG_DATA_HOME=/data", "EXPOSE 80", "EXPOSE 443", "EXPOSE 443/udp",
            "EXPOSE 2019", "WORKDIR /srv",
            'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]',
        ),
    )  # fmt: skip


def _loki() -> Recipe:
    return Recipe(
        tag=f"loki:{_version('loki')}-offline",
        differs="no example configuration",
        programs={"usr/bin/loki": "loki"},
        certificates=True,
        users={"loki": (10001, 10001)},
        dirs=(("etc/loki", 10001, 0o755), ("loki", 10001, 0o755), ("loki/rules", 10001, 0o755)),
        changes=(
            "USER 10001", "EXPOSE 3100", "WORKDIR /", 'ENTRYPOINT ["/usr/bin/loki"]',
            'CMD ["-config.file=/etc/loki/local-config.yaml"]',
        ),
    )  # fmt: skip


def _promtail() -> Recipe:
    return Recipe(
        tag=f"promtail:{_version('promtail')}-offline",
        differs="our own main around the vendor's library; no systemd journal; no example configuration",
        programs={"usr/bin/promtail": "promtail"},
        packages=("base-files", "dash", "bash", "coreutils", "grep", "sed", "ca-certificates", "tzdata"),
        dirs=(("etc/promtail", 0, 0o755),),
        changes=('ENTRYPOINT ["/usr/bin/promtail"]', 'CMD ["-config.file=/etc/promtail/config.yml"]'),
    )


def _cadvisor() -> Recipe:
    return Recipe(
        tag=f"cadvisor:{_version('cadvisor')}-offline",
        differs="our own main around the vendor's libraries; Docker and containerd only; no web page, no REST API",
        programs={"usr/bin/cadvisor": "cadvisor"},
        busybox=True,
        texts={
            "usr/bin/entrypoint.sh": '#!/bin/sh\nexec /usr/bin/cadvisor -logtostderr "$@"\n',
            "usr/bin/healthcheck.sh": script("cadvisor/healthcheck.sh"),
        },
        changes=(
            "EXPOSE 8080", 'ENTRYPOINT ["/usr/bin/entrypoint.sh"]',
            "HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD /usr/bin/healthcheck.sh",
        ),
    )  # fmt: skip


def _restic() -> Recipe:
    return Recipe(
        tag=f"restic:{_version('restic')}-offline",
        differs="busybox of Debian instead of Alpine; no FUSE, no SSH client",
        programs={"usr/bin/restic": "restic"},
        busybox=True,
        certificates=True,
        changes=('ENTRYPOINT ["/usr/bin/restic"]',),
    )


def _node_exporter() -> Recipe:
    return Recipe(
        tag=f"node-exporter:{_version('node_exporter')}-offline",
        differs="nothing else than the build",
        programs={"bin/node_exporter": "node_exporter"},
        busybox=True,
        changes=("USER nobody", "EXPOSE 9100", 'ENTRYPOINT ["/bin/node_exporter"]'),
    )


def _postgres_exporter() -> Recipe:
    return Recipe(
        tag="postgres-exporter:debian-offline",
        differs="the version that Debian has (0.11.1 in bookworm), whose metrics differ from 0.20",
        busybox=True,
        packages=("libc6",),
        deb_files={"bin/postgres_exporter": ("prometheus-postgres-exporter", "usr/bin/prometheus-postgres-exporter")},
        changes=("USER nobody", "EXPOSE 9187", 'ENTRYPOINT ["/bin/postgres_exporter"]'),
    )


def _sql_exporter() -> Recipe:
    return Recipe(
        tag="sql-exporter-stand-in:reader",
        differs="a reader of the same configuration, for PostgreSQL alone",
        busybox=True,
        packages=(*PYTHON, "python3-psycopg2"),
        trees={"usr/share/sql_exporter/sql_standin": _SQL},
        texts={"bin/sql_exporter": '#!/bin/sh\nexec python3 -m sql_standin "$@"\n'},
        compile=("/usr/lib/python3", "/usr/share/sql_exporter"),
        changes=(
            "USER nobody", "EXPOSE 9399", "ENV PYTHONUNBUFFERED=1", "ENV PYTHONPATH=/usr/share/sql_exporter",
            'ENTRYPOINT ["/bin/sql_exporter"]',
        ),
    )  # fmt: skip


def _grafana() -> Recipe:
    return Recipe(
        tag="grafana-stand-in:reader",
        differs="a reader of the same provisioning files and dashboards",
        busybox=True,
        packages=(*PYTHON, "python3-psycopg2"),
        trees={"usr/share/grafana/grafana_standin": _GRAFANA},
        compile=("/usr/lib/python3", "/usr/share/grafana"),
        users={"grafana": (472, 0)},
        dirs=(
            ("etc/grafana/provisioning/datasources", 472, 0o755), ("etc/grafana/provisioning/dashboards", 472, 0o755),
            ("etc/grafana", 472, 0o755), ("var/lib/grafana", 472, 0o755), ("var/log/grafana", 472, 0o755),
        ),
        changes=(
            "USER 472", "EXPOSE 3000", "WORKDIR /usr/share/grafana",
            "ENV PYTHONUNBUFFERED=1", "ENV PYTHONPATH=/usr/share/grafana",
            "ENV GF_PATHS_CONFIG=/etc/grafana/grafana.ini", "ENV GF_PATHS_PROVISIONING=/etc/grafana/provisioning",
            "ENV GF_PATHS_DATA=/var/lib/grafana", "ENV GF_PATHS_LOGS=/var/log/grafana",
            'ENTRYPOINT ["python3", "-m", "grafana_standin"]',
        ),
    )  # fmt: skip


def _blackbox_exporter() -> Recipe:
    return Recipe(
        tag="blackbox-exporter:debian-offline",
        differs="the version that Debian has (0.23.0 in bookworm)",
        busybox=True,
        packages=("libc6", "ca-certificates"),
        deb_files={"bin/blackbox_exporter": ("prometheus-blackbox-exporter", "usr/bin/prometheus-blackbox-exporter")},
        changes=("USER nobody", "EXPOSE 9115", 'ENTRYPOINT ["/bin/blackbox_exporter"]'),
    )


def _redis_exporter() -> Recipe:
    return Recipe(
        tag="redis-exporter:debian-offline",
        differs="the version that Debian has (1.45 in bookworm)",
        busybox=True,
        packages=("libc6", "ca-certificates"),
        deb_files={"redis_exporter": ("prometheus-redis-exporter", "usr/bin/prometheus-redis-exporter")},
        changes=("USER 59000:59000", "EXPOSE 9121", 'ENTRYPOINT ["/redis_exporter"]'),
    )


def _mysqld_exporter() -> Recipe:
    return Recipe(
        tag="mysqld-exporter:debian-offline",
        differs="the version that Debian has (0.14 in bookworm): no TLS but with `insecure`, no $ in a password",
        busybox=True,
        packages=("libc6", "ca-certificates"),
        deb_files={"bin/mysqld_exporter": ("prometheus-mysqld-exporter", "usr/bin/prometheus-mysqld-exporter")},
        changes=("USER nobody", "EXPOSE 9104", 'ENTRYPOINT ["/bin/mysqld_exporter"]'),
    )


def _nginx_exporter() -> Recipe:
    return Recipe(
        tag="nginx-exporter:debian-offline",
        differs="the version that Debian has (0.11.0 in bookworm): it listens once nginx has answered, and "
        "verifies every certificate",
        packages=("libc6", "ca-certificates"),
        deb_files={
            "usr/bin/nginx-prometheus-exporter": ("prometheus-nginx-exporter", "usr/bin/prometheus-nginx-exporter")
        },
        # The networks of the user are joined after its start.
        changes=(
            "USER 1001:1001",
            "ENV NGINX_RETRIES=100000",
            "ENV NGINX_RETRY_INTERVAL=1s",
            'ENTRYPOINT ["/usr/bin/nginx-prometheus-exporter"]',
        ),
    )


def _memcached_exporter() -> Recipe:
    return Recipe(
        tag=f"memcached-exporter:{_version('memcached_exporter')}-offline",
        differs="nothing else than the build",
        programs={"bin/memcached_exporter": "memcached_exporter"},
        busybox=True,
        changes=("USER nobody", "EXPOSE 9150", 'ENTRYPOINT ["/bin/memcached_exporter"]'),
    )


RECIPES = {
    "caddy": _caddy, "prometheus": _prometheus, "thanos": _thanos, "vmagent": _vmagent, "loki": _loki,
    "grafana": _grafana, "alertmanager": _alertmanager, "restic": _restic,
    "promtail": _promtail, "cadvisor": _cadvisor, "node_exporter": _node_exporter,
    "postgres_exporter": _postgres_exporter, "sql_exporter": _sql_exporter,
    "blackbox_exporter": _blackbox_exporter, "redis_exporter": _redis_exporter,
    "mysqld_exporter": _mysqld_exporter, "nginx_exporter": _nginx_exporter, "memcached_exporter": _memcached_exporter,
}  # fmt: skip
