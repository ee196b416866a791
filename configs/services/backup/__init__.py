"""The hub's backup: restic, a shell loop, and the other services' volumes mounted read-only."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.services import bucket as bucket_files
from configs.services.context import Context
from configs.services.spec import (
    MB,
    RESTART,
    File,
    Network,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
    text,
)

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.backup import Backup

SERVICE = Service(
    image="restic",
    licence="BSD-2-Clause",
    limits="backup",
    memory=512 * MB,
    cpus=0.5,
    jobs=("backup",),
)
CONFIG = "/etc/backup"
STATE = "/state"
DESTINATION = "/destination"
# By part: the volume without its prefix that a restore writes to, in the order of a restore.
PARTS: dict[str, str] = {
    "metrics": "prometheus",
    "logs": "loki",
    "grafana": "grafana",
    "alertmanager": "alertmanager",
    "caddy": "caddy-data",
    "ask": "ask-database",
    "state": "",
}
# Not backed up on a hub with a bucket, which has them.
IN_BUCKET = ("metrics", "logs")
# Not backed up on a hub whose nodes share a database, which has them.
IN_DATABASE = ("grafana", "ask")
CHECK_EVERY = 7 * 86400
SCRIPTS = ("common.sh", "respond.sh", "run.sh", "parts.sh", "restore.sh")
# Read-only. Loki's volume once for each step of its copy, see `logs` in run.sh.
READS = {
    "/data/prometheus": "prometheus",
    "/data/loki/1": "loki",
    "/data/loki/2": "loki",
    "/data/loki/3": "loki",
    "/data/grafana": "grafana",
    "/data/alertmanager": "alertmanager",
    "/data/caddy": "caddy-data",
    "/data/ask": "ask-database",
}


def parts(settings: Settings) -> tuple[str, ...]:
    """The parts of this stack, in the order of a restore: those that its hub has on its disk."""
    stored = IN_BUCKET if metrics_store.in_bucket(settings) else ()
    shared = IN_DATABASE if settings.hub.storage.shared is not None else ()
    left = tuple(part for part in PARTS if part not in (*stored, *shared))
    return tuple(part for part in left if part != "ask" or settings.hub.ask is not None)


def specs(context: Context) -> list[ServiceSpec]:
    """The backup of the hub, if the stack file has one."""
    settings = context.settings
    backup = settings.hub.backup
    if backup is None or not context.is_first:
        return []
    path, ask = backup.to.path, "ask" in parts(settings)
    scripts = {name: text(Path(__file__).with_name(name).read_text()) for name in SCRIPTS}
    return [
        ServiceSpec(
            role="backup",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={**scripts, "settings": _variables(settings, backup)},
            secrets={"password": File(lambda _: f"{backup.password.get_secret_value()}\n"), **_keys(backup)},
            entrypoint=("/bin/sh",),
            command=(f"{CONFIG}/run.sh",),
            reload=RESTART,  # a backup that runs is ended, and begun again a minute later
            volumes={
                "backup": Volume(STATE, durable=True),
                **({"backup-destination": Volume(DESTINATION, device=path)} if path is not None else {}),
            },
            reads=_reads(settings),
            networks=(Network("hub"),),
            depends_on=(
                *metrics_store.roles(settings),
                "loki",
                "grafana",
                "alertmanager",
                "caddy",
                *(("ask-database",) if ask else ()),
            ),
            health=http_check(f"http://127.0.0.1:{names.BACKUP_PORT}/metrics"),
            # Reads files of all users; writes into a folder of the host that any user may own.
            capabilities=("CAP_DAC_READ_SEARCH", *(("CAP_DAC_OVERRIDE",) if path is not None else ())),
            stop_timeout=10,
            scrape=ScrapeJob(name="backup", interval=context.edge.scrape.hub, port=names.BACKUP_PORT, series=50),
        )
    ]


def _reads(settings: Settings) -> dict[str, str]:
    volumes = [PARTS[part] for part in parts(settings)]
    return {path: volume for path, volume in READS.items() if volume in volumes}


def repository(settings: Settings, backup: Backup, bucket: str = "") -> str:
    """The repository's address for restic. `bucket`: the URL of one at Spaces."""
    if backup.to.spaces is not None:
        return f"s3:{bucket}/{settings.prefix}"
    if backup.to.s3 is not None:
        return f"s3:{backup.to.s3.endpoint.rstrip('/')}/{backup.to.s3.bucket}/{settings.prefix}"
    return f"{DESTINATION}/{settings.prefix}"


def _variables(settings: Settings, backup: Backup) -> File:
    if backup.to.spaces is None:
        return text(variables(settings, backup))
    return File(lambda late: variables(settings, backup, late.bucket), needs=("bucket",))


def variables(settings: Settings, backup: Backup, bucket: str = "") -> str:
    """What the scripts read. It holds no secret."""
    prefix = settings.prefix
    kept = {f"--keep-{name}": count for name, count in backup.keep if count}
    values = {
        "REPOSITORY": repository(settings, backup, bucket),
        "REGION": _region(backup),
        "NAME": prefix,
        "PARTS": " ".join(parts(settings)),
        "EVERY": str(backup.every),
        "CHECK": str(CHECK_EVERY),
        "KEEP": " ".join(f"{option} {count}" for option, count in kept.items()),
        "PORT": str(names.BACKUP_PORT),
        "PROMETHEUS": names.address(prefix, "prometheus", names.PROMETHEUS_PORT),
        "LOKI": names.address(prefix, "loki", names.LOKI_PORT),
        "FORGOTTEN": str(3 * names.LOKI_FLUSH_CHECK),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _keys(backup: Backup) -> dict[str, File]:
    """The credentials' file of an S3 server, in the form of AWS' tools."""
    return bucket_files.key_file(backup.to.s3, "bucket_key") if backup.to.path is None else {}


def _region(backup: Backup) -> str:
    if backup.to.spaces is not None:
        return bucket_files.SPACES_REGION
    return (backup.to.s3.region or "") if backup.to.s3 is not None else ""
