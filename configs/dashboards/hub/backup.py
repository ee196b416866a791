"""Row about the hub's backup, on stacks that have one."""

from __future__ import annotations

from configs.dashboards.model import ANY_IS_BAD, Graph, Query, Row, Stat
from configs.dashboards.panel_thresholds import red_above
from configs.rules.backup import JOB, LAST, limit
from configs.settings import Settings


def rows(settings: Settings) -> tuple[Row, ...]:
    """Age, failures, the ages of check and drill; then progress, duration and size."""
    backup = settings.hub.backup
    if backup is None:
        return ()
    ages = Row(
        title="Backup",
        height=5,
        panels=(
            Stat(
                title="Backup age",
                description="Time since each part was backed up. Red: older than the interval and a sixth of it.",
                unit="s",
                width=12,
                query=Query(expr=f"time() - max by (part) ({LAST})", legend="{{part}}"),
                steps=red_above(limit(backup), 0.9),
                show_names=True,
            ),
            Stat(
                title="Failed backups",
                description="Parts whose last backup failed, by reason. The container's log has restic's message.",
                unit="none",
                query=Query(
                    expr=f"sum by (reason) (fleetwatch_backup_failed{{{JOB}}})",
                    legend="{{reason}}",
                ),
                steps=ANY_IS_BAD,
                show_names=True,
            ),
            Stat(
                title="Failed repository checks",
                description="1 if the last weekly check found damage or could not run, by reason.",
                unit="none",
                query=Query(expr=f"max by (reason) (fleetwatch_backup_check_failed{{{JOB}}})", legend="{{reason}}"),
                steps=ANY_IS_BAD,
                show_names=True,
            ),
            Stat(
                title="Last restore drill",
                description="Time since the last successful `make drill`; before the first one, since the first "
                "backup.",
                unit="s",
                query=Query(expr=f"time() - max(fleetwatch_backup_drill_timestamp_seconds{{{JOB}}})"),
                steps=red_above(backup.drill, 0.8),
            ),
        ),
    )
    course = Row(
        panels=(
            Graph(
                title="Backup progress",
                description="How much of a running backup is read; 1 while none runs.",
                unit="percentunit",
                axis_max=1,
                queries=(
                    Query(
                        expr=f"max by (part) (fleetwatch_backup_progress_ratio{{{JOB}}})",
                        legend="{{part}}",
                    ),
                ),
            ),
            Graph(
                title="Backup duration",
                description="How long the last backup of each part took, and how long ago the repository was checked.",
                unit="s",
                queries=(
                    Query(expr=f"max by (part) (fleetwatch_backup_duration_seconds{{{JOB}}})", legend="{{part}}"),
                    Query(
                        expr=f"time() - max(fleetwatch_backup_check_timestamp_seconds{{{JOB}}})",
                        legend="since the check",
                    ),
                ),
            ),
            Graph(
                title="Backup size",
                description="Size of each part when it was last backed up, and what that backup added to the "
                "repository.",
                unit="bytes",
                queries=(
                    Query(expr=f"max by (part) (fleetwatch_backup_size_bytes{{{JOB}}})", legend="{{part}}"),
                    Query(
                        expr=f"max by (part) (fleetwatch_backup_added_bytes{{{JOB}}})",
                        legend="{{part}} added",
                    ),
                ),
            ),
        ),
    )
    return (ages, course)
