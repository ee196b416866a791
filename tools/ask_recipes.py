"""Images of the assistant: its own, made of the checkout, and those of its database and its cache.

Debian 12 has no pgvector and no Valkey: both come from Debian 13, also on a machine with another release.
"""

from __future__ import annotations

from tools.recipes import PYTHON, Recipe


def _pgvector() -> Recipe:
    return Recipe(
        tag="pgvector:17-debian-offline",
        differs="PostgreSQL 17 and pgvector of Debian 13; no entrypoint; runs as uid 999",
        packages=("postgresql-17", "postgresql-17-pgvector", "base-files", "dash", "coreutils", "tzdata"),
        release="trixie",
        users={"postgres": (999, 999)},
        dirs=(("var/lib/postgresql/data", 999, 0o700), ("var/run/postgresql", 999, 0o775)),
        changes=(
            "USER 999", "EXPOSE 5432", "VOLUME /var/lib/postgresql/data", "ENV LANG=C.UTF-8",
            "ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin",
        ),
    )  # fmt: skip


def _valkey() -> Recipe:
    return Recipe(
        tag="valkey:8-debian-offline",
        differs="Valkey of Debian 13 (8.1.1); no entrypoint; runs as uid 999",
        packages=("valkey-server", "valkey-tools", "base-files", "dash", "coreutils"),
        release="trixie",
        users={"valkey": (999, 999)},
        dirs=(("data", 999, 0o755),),
        changes=("USER 999", "EXPOSE 6379", "VOLUME /data", "WORKDIR /data", 'CMD ["valkey-server"]'),
    )


def _ask() -> Recipe:
    return Recipe(
        tag="ask:0.1.0-checkout",
        differs="the package `ask` of this checkout with the Python of Debian 13",
        busybox=True,
        packages=PYTHON,
        release="trixie",
        trees={"app/ask": "ask"},
        wheels="ask/requirements.txt",
        compile=("/usr/lib/python3", "/app"),
        changes=(
            "USER nobody", "EXPOSE 8080", "EXPOSE 8081", "WORKDIR /app", "ENV PYTHONPATH=/app/lib:/app",
            "ENV PYTHONUNBUFFERED=1", "ENV PYTHONDONTWRITEBYTECODE=1", 'ENTRYPOINT ["python3", "-m", "ask.service"]',
        ),
    )  # fmt: skip


ASK_RECIPES = {"pgvector": _pgvector, "valkey": _valkey, "ask": _ask}
