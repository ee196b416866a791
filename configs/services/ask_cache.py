"""Valkey for the assistant: sessions, rate limits, cached answers and jobs. Only the assistant reaches it.

It writes nothing to disk: after a restart people sign in again.
"""

from __future__ import annotations

import hashlib

from configs import names
from configs.services.ask import after, with_servers
from configs.services.context import Context
from configs.services.spec import MB, RESTART, File, HealthCheck, Late, Network, Service, ServiceSpec, text

SERVICE = Service(
    image="valkey",
    licence="BSD-3-Clause",
    limits="ask_cache",
    memory=64 * MB,
    cpus=0.2,
    jobs=(),
)
CONFIG = "/etc/ask-cache"
USERS = "users.acl"
OWNER = "999:999"  # the vendor's image begins as root


def specs(context: Context) -> list[ServiceSpec]:
    """The assistant's cache."""
    if not with_servers(context.settings):
        return []
    memory, _ = limits = context.hub_limits(SERVICE)
    return [
        ServiceSpec(
            role="ask-cache",
            service=SERVICE,
            limits=limits,
            config_dir=CONFIG,
            files={"valkey.conf": text(config(memory))},
            secrets={USERS: File(users, needs=("ask",))},
            reload=RESTART,
            entrypoint=("valkey-server",),
            command=(f"{CONFIG}/valkey.conf",),
            user=OWNER,
            scratch=("/data",),
            networks=(Network("ask"),),
            depends_on=after(context.settings),
            health=HealthCheck(("valkey-cli", "-h", "127.0.0.1", "ping")),
            scrape=None,
        )
    ]


def config(memory: int) -> str:
    """valkey.conf; half of the memory is for data, the rest for connections and copies."""
    return f"""# The assistant's cache, rendered by fleetwatch
bind * -::*
port {names.ASK_CACHE_PORT}
protected-mode no
aclfile {names.SECRETS}/{USERS}
dir /tmp
save ""
appendonly no
maxmemory {memory // 2}
maxmemory-policy volatile-ttl
"""


def users(late: Late) -> str:
    """The one user, by the hash of its password."""
    password = hashlib.sha256(late.ask[names.ASK_CACHE_PASSWORD].encode()).hexdigest()
    return f"user default on #{password} ~* &* +@all -@dangerous +info\n"
