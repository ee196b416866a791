"""The discovered services and metrics in the database: inserted or marked as seen, in a fixed number of statements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ask.client import Away, Hub
from ask.promql import Matcher
from ask.service import database, tables
from ask.world import LOOK_BACK, MAX_SERIES, World, kind_of

Pairs = list[tuple[str, str, str]]  # a metric, a service, the label that the service is a value of
MOST_JOBS = 100
LONGEST = 500  # bytes of a name: an index of PostgreSQL has about 2700 of both together
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
    return {(value, "job") for value in world.labels.get("job", ())} | {one[1:] for one in _of_apps(world)}


def _of_apps(world: World) -> set[tuple[str, str, str]]:
    return {
        (one.name, value, label)
        for one in world.apps.values()
        for label in SERVICE_LABELS
        for value in one.labels.get(label, ())
    }


def pairs(hub: Hub, world: World, at: float) -> Pairs:
    """Metrics with the services that have them: one request for each job, none for each metric."""
    found = _of_apps(world)
    for job in sorted(world.labels.get("job", ()))[:MOST_JOBS]:
        selector = f"{{{Matcher('job', '=', job)}}}"
        span = [("start", f"{at - LOOK_BACK:.0f}"), ("end", f"{at:.0f}"), ("limit", str(MAX_SERIES))]
        try:
            names = hub.get(hub.prometheus, "/api/v1/label/__name__/values", [("match[]", selector), *span])
        except Away:
            break  # the rest is completed by the next discovery
        found |= {(name, job, "job") for name in names}
    return sorted(found)


def update(pool: sa.Engine, world: World, pairs: Pairs) -> None:
    """Write what was discovered."""
    services = sorted(one for one in services_of(world) if _fits(one[0]))
    names = sorted(filter(_fits, world.metrics | set(world.apps)))
    with database.transaction(pool, database.LONG) as connection:
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


def _fits(name: str) -> bool:
    """An app may give its metrics any name: one that does not fit would keep all others out."""
    return len(name.encode()) <= LONGEST and "\x00" not in name


def forget(connection: sa.Connection) -> None:
    """Remove what no discovery has seen for a week: an app may invent names without an end."""
    for table in (tables.metrics, tables.services):
        connection.execute(table.delete().where(table.c.last_seen < sa.func.now() - sa.text("interval '7 days'")))


def services(pool: sa.Engine) -> list[dict[str, Any]]:
    """Each service with the number of its metrics."""
    count = sa.func.count(tables.metric_services.c.metric_id).label("metrics")
    own = tables.services
    query = sa.select(own, count).outerjoin(tables.metric_services).group_by(own.c.id).order_by(own.c.name)
    with database.transaction(pool) as connection:
        return [dict(one) for one in connection.execute(query).mappings()]


def metrics(pool: sa.Engine, search: str, service: str, after: str, limit: int) -> list[dict[str, Any]]:
    """Metrics by name, those of a service, those with a text in their name."""
    own = tables.metrics
    query = sa.select(own).where(own.c.name > after)
    if search:
        query = query.where(own.c.name.contains(search, autoescape=True))
    if service:
        pairs = sa.select(tables.metric_services.c.metric_id).join(tables.services)
        query = query.where(own.c.id.in_(pairs.where(tables.services.c.name == service)))
    with database.transaction(pool) as connection:
        return [dict(one) for one in connection.execute(query.order_by(own.c.name).limit(limit)).mappings()]
