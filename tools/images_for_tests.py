"""Images for the tests: an application, a PostgreSQL, a Docker Engine, and a bare Python. No stack runs them."""

from __future__ import annotations

from tools.recipes import PYTHON, Recipe, script

APP = "tests/app"


def _python() -> Recipe:
    return Recipe(
        tag="python:debian-offline",
        differs="Debian's Python and PyYAML with busybox, nothing else",
        busybox=True,
        packages=PYTHON,
        compile=("/usr/lib/python3",),
        changes=('CMD ["python3"]',),
    )


def _test_app() -> Recipe:
    return Recipe(
        tag="test-app:offline",
        differs="an application for the tests; no vendor",
        busybox=True,
        packages=PYTHON,
        trees={"app": APP},
        wheels=f"{APP}/requirements.txt",
        compile=("/usr/lib/python3", "/app"),
        changes=(
            "USER nobody", "EXPOSE 8000", "WORKDIR /app", "ENV PYTHONPATH=/app/lib:/app", "ENV PYTHONUNBUFFERED=1",
            'ENTRYPOINT ["python3", "-m", "uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]',
        ),
    )  # fmt: skip


def _postgres() -> Recipe:
    return Recipe(
        tag="postgres:15-offline",
        differs="Debian's PostgreSQL with a separate entrypoint; runs as uid 999 from the start",
        packages=("postgresql-15", "base-files", "dash", "coreutils", "tzdata"),
        texts={"usr/local/bin/docker-entrypoint.sh": script("postgres/entrypoint.sh")},
        users={"postgres": (999, 999)},
        dirs=(
            ("var/lib/postgresql/data", 999, 0o700), ("var/run/postgresql", 999, 0o775),
            ("docker-entrypoint-initdb.d", 0, 0o755),
        ),
        changes=(
            "USER 999", "EXPOSE 5432", "VOLUME /var/lib/postgresql/data", "ENV PGDATA=/var/lib/postgresql/data",
            "ENV LANG=C.UTF-8", "ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin",
            'ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["postgres"]',
        ),
    )  # fmt: skip


def _engine() -> Recipe:
    return Recipe(
        tag="engine:28.5.2-offline",
        differs="Docker Engine 28 built from its source, with Debian's containerd and runc; without networks",
        programs={"usr/bin/dockerd": "dockerd"},
        busybox=True,
        packages=("containerd", "runc"),
        texts={"usr/bin/boot": script("engine/boot.sh")},
        changes=('ENTRYPOINT ["/usr/bin/boot"]', "VOLUME /var/lib/docker", "VOLUME /var/lib/containerd"),
    )


def _s3() -> Recipe:
    return Recipe(
        tag="versitygw:1.8.0-offline",
        differs="an S3 server over a folder, for the tests",
        programs={"usr/bin/versitygw": "versitygw"},
        busybox=True,
        changes=('ENTRYPOINT ["/usr/bin/versitygw"]',),
    )


def _servers() -> Recipe:
    return Recipe(
        tag="servers:debian-offline",
        differs="Debian's Redis, MariaDB, nginx, RabbitMQ and memcached in one image, for the tests",
        packages=(
            "redis-server", "mariadb-server", "nginx-light", "rabbitmq-server", "memcached", "base-files", "dash",
            "coreutils", "sed", "grep", "hostname", "procps", "util-linux",
        ),
        users={"server": (999, 999)},
        dirs=(("var/lib/server", 999, 0o700), ("run/server", 999, 0o755), ("tmp", 0, 0o777)),
        texts={"usr/local/bin/serve": script("servers/serve.sh")},
        changes=("USER 999", "WORKDIR /var/lib/server", "ENV LANG=C.UTF-8", 'ENTRYPOINT ["serve"]'),
    )  # fmt: skip


TEST_RECIPES = {
    "servers": _servers,
    "s3": _s3,
    "engine": _engine,
    "postgres": _postgres,
    "python": _python,
    "test-app": _test_app,
}
