"""The discovered services and metrics in the database: inserted or marked as seen, in a fixed number of statements."""

from __future__ import annotations

import sqlalchemy as sa

from ask.service import database
from ask.world import World, kind_of

SERVICE_LABELS = ("service", "job", "app", "application")
_SERVICES = """
INSERT INTO services (name, label) SELECT * FROM unnest(CAST(:names AS text[]), CAST(:labels AS text[]))
ON CONFLICT (name, label) DO UPDATE SET last_seen = now()
"""
_METRICS = """
INSERT INTO metrics (name, kind) SELECT * FROM unnest(CAST(:names AS text[]), CAST(:kinds AS text[]))
ON CONFLICT (name) DO UPDATE SET last_seen = now(), kind = excluded.kind
"""
_PAIRS = """
INSERT INTO metric_services (metric_id, service_id)
SELECT m.id, s.id FROM unnest(CAST(:metrics AS text[]), CAST(:names AS text[]), CAST(:labels AS text[])) AS p (m, s, l)
JOIN metrics m ON m.name = p.m JOIN services s ON s.name = p.s AND s.label = p.l
ON CONFLICT DO NOTHING
"""


def services_of(world: World) -> set[tuple[str, str]]:
    """Names with the label that they are values of."""
    found = {(value, "job") for value in world.labels.get("job", ())}
    for one in world.apps.values():
        found |= {(value, label) for label in SERVICE_LABELS for value in one.labels.get(label, ())}
    return found


def update(pool: sa.Engine, world: World) -> None:
    """Write what was discovered."""
    services = sorted(services_of(world))
    names = sorted(world.metrics | set(world.apps))
    pairs = sorted(
        (one.name, value, label)
        for one in world.apps.values()
        for label in SERVICE_LABELS
        for value in one.labels.get(label, ())
    )
    with database.transaction(pool) as connection:
        if services:
            values = {"names": [one for one, _ in services], "labels": [label for _, label in services]}
            connection.execute(sa.text(_SERVICES), values)
        if names:
            connection.execute(sa.text(_METRICS), {"names": names, "kinds": [kind_of(one) for one in names]})
        if pairs:
            split = {
                "metrics": [one[0] for one in pairs],
                "names": [one[1] for one in pairs],
                "labels": [one[2] for one in pairs],
            }
            connection.execute(sa.text(_PAIRS), split)
