"""Alerts about the hub's backup. They fire as well while there is no data about it: what is expected is a constant."""

from __future__ import annotations

from configs.rules.model import Alert, Group, Record, constant
from configs.services.backup import CHECK_EVERY, parts
from configs.settings import Settings
from configs.settings.backup import Backup
from configs.units import prometheus_duration, show_duration

EXPECTED = "hub:backup_expected"
JOB = 'job="backup"'
LAST = f"fleetwatch_backup_last_success_timestamp_seconds{{{JOB}}}"


def group(settings: Settings) -> Group:
    """Empty without a backup."""
    backup = settings.hub.backup
    if backup is None:
        return Group(name="backup", rules=())
    rules = (_expected(settings), _old(backup), FAILS, UNCHECKED, _not_drilled(backup))
    return Group(name="backup", rules=rules)


def limit(backup: Backup) -> int:
    """How old a backup may be, in seconds: the interval, and a sixth of it for the backup itself."""
    return backup.every + max(900, backup.every // 6)


def _expected(settings: Settings) -> Record:
    each = [constant(1, part=name, host="hub", env=settings.env) for name in parts(settings)]
    return Record(name=EXPECTED, expr=" or ".join(each))


def _old(backup: Backup) -> Alert:
    allowed = limit(backup)
    return Alert(
        name="BackupOld",
        expr=lambda matchers, _: f'{EXPECTED}{{part=~".+"{matchers}}} unless on (part) (time() - {LAST} < {allowed})',
        wait=prometheus_duration(backup.every),
        severity="critical",
        summary=f"There is no backup of {{{{ $labels.part }}}} from the last {show_duration(allowed)}",
        description="Or there is no data about the backup. If the hub is lost, everything since the last backup is "
        "lost. The row Backup of the dashboard shows the reason.",
        board="hub",
        per="hub",
    )


FAILS = Alert(
    name="BackupFails",
    expr=lambda matchers, _: f"fleetwatch_backup_failed{{{JOB}{matchers}}} == 1",
    summary="The backup of {{ $labels.part }} failed: {{ $labels.reason }}",
    description="It is tried again before the next interval. The log of the container has restic's own message.",
    board="hub",
    per="hub",
)

UNCHECKED = Alert(
    name="BackupUnchecked",
    expr=lambda matchers, _: (
        f'max by (env, host) ({EXPECTED}{{part=~".+"{matchers}}} unless on () '
        f"(time() - fleetwatch_backup_check_timestamp_seconds{{{JOB}}} < {2 * CHECK_EVERY}"
        f" and on () fleetwatch_backup_check_failed{{{JOB}}} == 0))"
    ),
    wait="1d",
    severity="critical",
    summary=f"No check of the backup's repository was successful in the last {show_duration(2 * CHECK_EVERY)}, or the "
    "last one failed",
    description="Backups may not be readable. The row Backup of the dashboard shows the reason.",
    board="hub",
    per="hub",
)


def _not_drilled(backup: Backup) -> Alert:
    return Alert(
        name="BackupNotDrilled",
        expr=lambda matchers, _: (
            f'max by (env, host) ({EXPECTED}{{part=~".+"{matchers}}} unless on () '
            f"(time() - fleetwatch_backup_drill_timestamp_seconds{{{JOB}}} < {backup.drill}))"
        ),
        wait="1d",
        summary=f"No restore was drilled in the last {show_duration(backup.drill)}",
        description="`make drill` restores the backup into throw-away containers and compares. The workflow drill runs "
        "it monthly.",
        board="hub",
        per="hub",
    )
