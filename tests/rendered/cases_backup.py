"""When the alerts about the hub's backup fire, and when not: also without any data about it."""

from __future__ import annotations

from configs.rules.backup import EXPECTED
from configs.services.backup import PARTS
from tests.rendered.rules_rig import Case, fired

BACKUP = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
OF = 'job="backup",env="test",host="hub",instance="fleetwatch-backup:9188"'
ALL = {f'{EXPECTED}{{env="test",host="hub",part="{part}"}}': "1x400" for part in PARTS}


def last(when: str, *without: str) -> dict[str, str]:
    """The time of the last success of each part, in promtool's notation."""
    name = "fleetwatch_backup_last_success_timestamp_seconds"
    return {f'{name}{{{OF},part="{part}"}}': when for part in PARTS if part not in without}


def checked(when: str, failed: str = "0x400", reason: str = "") -> dict[str, str]:
    return {
        f"fleetwatch_backup_check_timestamp_seconds{{{OF}}}": when,
        f'fleetwatch_backup_check_failed{{{OF},reason="{reason}"}}': failed,
    }


def _failed(reason: str, value: str) -> dict[str, str]:
    return {f'fleetwatch_backup_failed{{{OF},part="logs",reason="{reason}"}}': value}


UNCHECKED = fired("No check of the backup's repository was successful in the last 14d, or the last one failed")
CASES = (
    Case(
        alert="BackupOld",
        when="for the part that was not backed up",
        series={**ALL, **last("0+3600x400", "logs"), **{key: "0x400" for key in last("0") if 'part="logs"' in key}},
        step="1h",
        at="14h",
        fires=[fired("There is no backup of logs from the last 7h", part="logs")],
    ),
    Case(
        alert="BackupOld",
        when="when there is no data about a part",
        series={**ALL, **last("0+3600x400", "metrics")},
        step="1h",
        at="8h",
        fires=[fired("There is no backup of metrics from the last 7h", part="metrics")],
    ),
    Case(alert="BackupOld", when="while all are young", series={**ALL, **last("0+3600x400")}, step="1h", at="2d"),
    Case(
        alert="BackupFails",
        when="with the reason",
        series=_failed("the destination is full", "1x400"),
        fires=[
            fired(
                "The backup of logs failed: the destination is full",
                job="backup",
                instance="fleetwatch-backup:9188",
                part="logs",
                reason="the destination is full",
            )
        ],
    ),
    Case(alert="BackupFails", when="after a success", series=_failed("", "0x400")),
    Case(
        alert="BackupUnchecked",
        when="when the check is old",
        series={**ALL, **checked("0x600")},
        step="1h",
        at="16d",
        fires=[UNCHECKED],
    ),
    Case(
        alert="BackupUnchecked",
        when="when it failed",
        series={**ALL, **checked("0+3600x400", "1x400", "the repository is damaged")},
        step="1h",
        at="2d",
        fires=[UNCHECKED],
    ),
    Case(alert="BackupUnchecked", when="without data", series=ALL, step="1h", at="2d", fires=[UNCHECKED]),
    Case(alert="BackupUnchecked", when="after a check", series={**ALL, **checked("0+3600x400")}, step="1h", at="2d"),
    Case(
        alert="BackupNotDrilled",
        when="without data",
        series=ALL,
        step="1h",
        at="2d",
        fires=[fired("No restore was drilled in the last 35d")],
    ),
    Case(
        alert="BackupNotDrilled",
        when="after a drill",
        series={**ALL, f"fleetwatch_backup_drill_timestamp_seconds{{{OF}}}": "0+3600x400"},
        step="1h",
        at="2d",
    ),
)
