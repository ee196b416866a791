"""PostgreSQL with pgvector for the assistant: accounts, keys and history. Only the assistant reaches it.

The start script makes the cluster, so the container needs neither root nor a writable root file system, which the
vendor's entrypoint does. For a backup it writes a dump on request: files of a running server are no backup.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from configs import names
from configs.services.ask import DATABASE, USER, after, secret, with_servers
from configs.services.context import Context
from configs.services.spec import MB, RESTART, HealthCheck, Network, Service, ServiceSpec, Volume, text

SERVICE = Service(
    image="pgvector",
    licence="PostgreSQL",
    limits="ask_database",
    memory=64 * MB,
    cpus=0.5,
    jobs=(),
)
CONFIG = "/etc/ask-database"
DATA = "/var/lib/postgresql/data"
MAJOR = 17
OWNER = "999:999"  # of the vendor's image, whose own user is root
DUMPS, RESTORED = "dumps", "restored"  # folders of the volume: for the backup, and from a restore
DATA_SCRIPT = f"{CONFIG}/data.sh"
_FOLDER = Path(__file__).parent


def specs(context: Context) -> list[ServiceSpec]:
    """The assistant's database."""
    if not with_servers(context.settings):
        return []
    return [
        ServiceSpec(
            role="ask-database",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                "start.sh": text((_FOLDER / "ask_database.sh").read_text()),
                "data.sh": text((_FOLDER / "ask_database_data.sh").read_text()),
                "settings": text(variables()),
                "postgresql.conf": text(postgresql_conf()),
                "pg_hba.conf": text(pg_hba_conf()),
            },
            secrets={names.ASK_DATABASE_PASSWORD: secret(names.ASK_DATABASE_PASSWORD)},
            reload=RESTART,
            entrypoint=("/bin/sh", f"{CONFIG}/start.sh"),
            user=OWNER,
            volumes={"ask-database": Volume(DATA, durable=True)},
            networks=(Network("ask"),),
            depends_on=after(context.settings),
            health=HealthCheck(("pg_isready", "-q", "-h", "127.0.0.1", "-U", USER, "-d", DATABASE), start_period=45),
            scrape=None,
        )
    ]


def variables() -> str:
    """What the start script reads. It holds no secret."""
    values = {
        "PGDATA": f"{DATA}/{MAJOR}",
        "DATABASE": DATABASE,
        "ROLE": USER,
        "CONFIG": CONFIG,
        "PASSWORD_FILE": f"{names.SECRETS}/{names.ASK_DATABASE_PASSWORD}",
        "DUMPS": f"{DATA}/{DUMPS}",
        "RESTORED": f"{DATA}/{RESTORED}",
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def postgresql_conf() -> str:
    """Sized for accounts and a history of questions, in a container of 64 MB."""
    values = {
        "listen_addresses": "'*'",
        "port": str(names.ASK_DATABASE_PORT),
        "unix_socket_directories": "'/tmp'",  # the one folder that is writable besides the data
        "max_connections": "40",
        "shared_buffers": "16MB",
        "work_mem": "1MB",
        "maintenance_work_mem": "16MB",
        "max_wal_size": "128MB",
        "min_wal_size": "32MB",
        "max_worker_processes": "2",
        "max_parallel_workers": "0",
        "jit": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "log_timezone": "'UTC'",
        "timezone": "'UTC'",
        "log_min_error_statement": "panic",  # a statement may hold what a person asked
    }
    return "# The assistant's database, rendered by fleetwatch\n" + "".join(
        f"{name} = {value}\n" for name, value in values.items()
    )


def pg_hba_conf() -> str:
    """The assistant's role by its password. The superuser has none, and comes only from inside the container."""
    return f"local all all trust\nhost {DATABASE} {USER} samenet scram-sha-256\n"
