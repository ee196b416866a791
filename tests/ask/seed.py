"""The seeded fleet: every series as a function of time, written as OpenMetrics, and log lines.

Values differ between hosts and metrics, so that a wrong metric or host yields another answer. Eight days, so that "last
week" has data; the last day in steps of a minute, before it of four.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

AT = 1795176000  # 2026-11-20T12:00:00Z, a Friday
DAYS = 8
HOSTS = ("hub", "web-1", "web-2", "db-1", "db-2", "vps-1")
ENV = "prod"
CONTAINERS = {
    "hub": ("fleetwatch-prometheus", "fleetwatch-loki", "fleetwatch-grafana", "fleetwatch-caddy"),
    "web-1": ("shop-api", "shop-worker", "redis", "nginx"),
    "web-2": ("shop-api", "blog", "billing"),
    "db-1": ("postgres", "pgbouncer"),
    "db-2": ("postgres",),
    "vps-1": ("mailer",),
}
GB = 1e9
Value = Callable[[float], float]


@dataclass(frozen=True)
class Series:
    """One series; `value` of the seconds since the first sample."""

    name: str
    labels: dict[str, str]
    value: Value

    def text(self) -> str:
        """As an OpenMetrics line begins."""
        inside = ",".join(f'{key}="{value}"' for key, value in self.labels.items())
        return f"{self.name}{{{inside}}}"


def constant(value: float) -> Value:
    return lambda _: value


def counter(rate: float) -> Value:
    """A steady rate that is a tenth higher in the second half of each day."""
    return lambda t: rate * (t + 0.1 * (t // 86400 * 43200 + max(0.0, t % 86400 - 43200)))


def rising(first: float, pace: float) -> Value:
    return lambda t: first + pace * t


def shrinking(last: float, pace: float) -> Value:
    """Ends at `last`, `pace` less each second."""
    return lambda t: last + pace * (DAYS * 86400 - t)


def after(moment: float, value: float) -> Value:
    return lambda t: value if t >= moment else 0.0


def every(interval: float, phase: float) -> Value:
    """The time at which something last happened that happens at an interval."""
    return lambda t: AT - DAYS * 86400 + (t - phase) // interval * interval


def wave(middle: float, swing: float, phase: float = 0.0) -> Value:
    """A daily wave, with a slow trend."""
    return lambda t: middle + swing * math.sin(t / 86400 * 2 * math.pi + phase) + swing * 0.15 * t / 86400


def steps(times: tuple[float, ...], first: float) -> Value:
    """A start time: the last of `times` (seconds before the end) that has passed."""

    def value(t: float) -> float:
        passed = [one for one in times if t >= DAYS * 86400 - one]
        return AT - min(passed) if passed else first

    return value


def host_series() -> Iterator[Series]:
    """The node exporter and the agent of each host."""
    for i, host in enumerate(HOSTS):
        base = {"env": ENV, "host": host, "instance": f"{host}:9100"}
        node = {**base, "job": "node"}
        busy = 0.08 + 0.13 * i
        for core in "01":
            for mode, share in (("idle", 1 - busy), ("user", busy * 0.7), ("system", busy * 0.3)):
                yield Series("node_cpu_seconds_total", {**node, "cpu": core, "mode": mode}, counter(share / 1.1))
        total = (4 + 4 * i) * GB
        used = 0.25 + 0.12 * i
        yield Series("node_memory_MemTotal_bytes", node, constant(total))
        yield Series("node_memory_MemAvailable_bytes", node, wave(total * (1 - used), -total * 0.02, i))
        yield Series("node_memory_SwapTotal_bytes", node, constant(2 * GB))
        yield Series("node_memory_SwapFree_bytes", node, constant((2 - 0.1 * i) * GB))
        mounts = [("/", "/dev/vda1", 50 * GB, 0.31 + 0.1 * i, 2000.0 + 900 * i)]
        if host.startswith("db"):
            mounts.append(("/var/lib/postgresql", "/dev/vdb", 400 * GB, 0.72 + 0.03 * i, 90000.0))
        if host == "hub":
            mounts.append(("/data", "/dev/vdb", 100 * GB, 0.42, 15000.0))
        for mount, device, size, full, pace in mounts:
            disk = {**node, "mountpoint": mount, "device": device, "fstype": "ext4"}
            yield Series("node_filesystem_size_bytes", disk, constant(size))
            yield Series("node_filesystem_avail_bytes", disk, shrinking(size * (1 - full), pace))
            yield Series("node_filesystem_files", disk, constant(1e6))
            yield Series("node_filesystem_files_free", disk, constant(1e6 * (0.9 - 0.11 * i)))
            yield Series("node_filesystem_readonly", disk, constant(0))
        for name, load in (
            ("node_load1", 0.4 + 0.5 * i),
            ("node_load5", 0.3 + 0.45 * i),
            ("node_load15", 0.2 + 0.4 * i),
        ):
            yield Series(name, node, wave(load, 0.02))
        yield Series("node_timex_offset_seconds", node, constant(0.001 * (i + 1) * (-1) ** i))
        yield Series("node_time_seconds", node, rising(AT - DAYS * 86400, 1))
        yield Series("node_boot_time_seconds", node, constant(AT - (20 + 7 * i) * 86400))
        yield Series("node_vmstat_oom_kill", node, constant(i))
        for kind, rate in (("cpu", 0.02 + 0.01 * i), ("io", 0.05 + 0.015 * i), ("memory", 0.003 + 0.002 * i)):
            yield Series(f"node_pressure_{kind}_waiting_seconds_total", node, counter(rate))
        for kind, rate in (("read", 1e5 + 3e5 * i), ("written", 5e5 + 2e5 * i)):
            yield Series(f"node_disk_{kind}_bytes_total", {**node, "device": "vda"}, counter(rate))
        for way, rate in (("receive", 2e5 + 7e4 * i), ("transmit", 9e5 - 1.1e5 * i)):
            card = {**node, "device": "eth0"}
            yield Series(f"node_network_{way}_bytes_total", card, counter(rate))
            yield Series(f"node_network_{way}_packets_total", card, counter(rate / 700))
            yield Series(f"node_network_{way}_errs_total", card, counter(0.01 * (i + 1)))
            yield Series(f"node_network_{way}_drop_total", card, counter(0.002 * (i + 1)))
        agent = {**base, "job": "agent", "instance": f"{host}:9090"}
        yield Series("prometheus_agent_samples_appended_total", agent, counter(150 + 40 * i))
        yield Series("prometheus_remote_storage_samples_failed_total", agent, constant(0))
        newest = AT - DAYS * 86400
        yield Series("prometheus_remote_storage_queue_highest_timestamp_seconds", agent, rising(newest, 1))
        behind = 2.0 + i
        yield Series(
            "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
            agent,
            rising(newest - behind, 1),
        )
        yield Series("promtail_sent_entries_total", {**base, "job": "promtail"}, counter(3 + i))
        for job in ("node", "agent", "cadvisor", "promtail"):
            yield Series("up", {**base, "job": job, "instance": f"{host}-{job}"}, constant(1))
        yield Series("fleetwatch:host_expected", {"env": ENV, "host": host}, constant(1))
        yield Series("host:agent_buffer:bytes", {"env": ENV, "host": host}, constant(4e8))
        yield Series("host:agent_written:bytes_per_second", {"env": ENV, "host": host}, constant(900 + 100 * i))


def container_series() -> Iterator[Series]:
    """cAdvisor, with the sums of each host, which have no container."""
    number = 0
    for host, names in CONTAINERS.items():
        root = {"env": ENV, "host": host, "job": "cadvisor", "instance": f"{host}:8080"}
        yield Series("container_last_seen", root, rising(AT - DAYS * 86400, 1))
        yield Series("container_cpu_usage_seconds_total", {**root, "cpu": "total"}, counter(0.5))
        yield Series("container_memory_working_set_bytes", root, constant(6e9))
        yield Series("container_start_time_seconds", root, constant(AT - 40 * 86400))
        for name in names:
            number += 1
            labels = {
                "env": ENV, "host": host, "job": "cadvisor", "container": name, "instance": f"{host}:8080",
                "compose_project": name.split("-")[0], "compose_service": name, "image": f"{name}:1",
            }  # fmt: skip
            yield Series("container_last_seen", labels, rising(AT - DAYS * 86400, 1))
            yield Series("container_cpu_usage_seconds_total", {**labels, "cpu": "total"}, counter(0.03 * number))
            yield Series("container_memory_working_set_bytes", labels, wave(1.1e8 * number, 3e6, number))
            limit = 1.2e8 * number + 6e7 if number != 6 else 7e8
            yield Series("container_spec_memory_limit_bytes", labels, constant(limit))
            yield Series("container_cpu_cfs_periods_total", labels, counter(10))
            yield Series("container_cpu_cfs_throttled_periods_total", labels, counter(max(0.0, 0.4 * (number - 5))))
            yield Series("container_network_receive_bytes_total", labels, counter(1000 * number))
            yield Series("container_network_transmit_bytes_total", labels, counter(2300 * number))
            starts = {"shop-worker": (3600.0 * 20, 3600.0 * 5, 3600.0 * 2), "mailer": (3600.0 * 9, 3600.0 * 3)}
            first = AT - (9 + number) * 86400
            yield Series("container_start_time_seconds", labels, steps(starts.get(name, ()), first))
            kills = 3600.0 * 7
            yield Series(
                "container_oom_events_total",
                labels,
                after(DAYS * 86400 - kills, 2.0 if name == "shop-worker" else 0.0),
            )
            yield Series("container:run:seconds", {k: labels[k] for k in ("env", "host", "container")}, constant(9e5))


def database_series() -> Iterator[Series]:
    """The PostgreSQL exporter and the SQL exporter."""
    for i, (host, server) in enumerate((("db-1", "main"), ("db-2", "replica"))):
        base = {"env": ENV, "host": host, "database": server}
        exporter, sql = {**base, "job": "postgres"}, {**base, "job": "sql"}
        yield Series("pg_up", exporter, constant(1))
        yield Series("up", {**exporter, "instance": "pg:9187"}, constant(1))
        yield Series("fleetwatch_pg_connections_ratio", sql, wave(0.31 + 0.2 * i, 0.01))
        for j, name in enumerate(("shop", "billing")):
            one = {**exporter, "datname": name}
            own = {**sql, "datname": name}
            yield Series("pg_stat_database_numbackends", one, wave(14 + 9 * j + 5 * i, 2))
            yield Series("pg_database_size_bytes", one, rising((3 + 5 * j + i) * GB, 900))
            yield Series("pg_stat_database_xact_commit", one, counter(40 + 25 * j + 5 * i))
            yield Series("pg_stat_database_xact_rollback", one, counter(0.5 + 0.25 * j + 0.1 * i))
            yield Series("pg_stat_database_blks_hit", one, counter(970 - 30 * j - 40 * i))
            yield Series("pg_stat_database_blks_read", one, counter(11 + 7 * j))
            yield Series("pg_stat_database_deadlocks", one, counter(0.001 * (1 + i)))
            yield Series("pg_stat_database_temp_bytes", one, counter(4000 + 1000 * j))
            for kind in ("fetched", "inserted", "updated", "deleted"):
                yield Series(f"pg_stat_database_tup_{kind}", one, counter(100 + len(kind) * 7 + j + i))
            for k, state in enumerate(("active", "idle", "idle in transaction")):
                yield Series("pg_stat_activity_count", {**one, "state": state}, constant(2 + 3 * k + j + 10 * i))
            age = 95.0 + 700 * j + 11 * i
            yield Series("pg_stat_activity_max_tx_duration", {**one, "state": "active"}, constant(age))
            yield Series("fleetwatch_pg_oldest_transaction_seconds", own, constant(age))
            yield Series("fleetwatch_pg_wraparound_ratio", own, constant(0.05 + 0.02 * j + 0.01 * i))
            for k, mode in enumerate(("accesssharelock", "rowexclusivelock")):
                yield Series("pg_locks_count", {**one, "mode": mode}, constant(5 + 4 * k + j + 20 * i))
            for k, table in enumerate(("orders", "customers", "items")):
                kept = {**own, "schema": "public", "table": table}
                yield Series("fleetwatch_pg_table_bytes", kept, constant((1.5 + k + 3 * j + 0.2 * i) * 1e8))
                yield Series("fleetwatch_pg_dead_rows_ratio", kept, constant(0.04 + 0.11 * k + 0.01 * j))
    main = {"env": ENV, "host": "db-1", "database": "main", "job": "sql"}
    yield Series("fleetwatch_pg_standby_lag_bytes", {**main, "application_name": "db-2"}, constant(81920))
    yield Series("fleetwatch_pg_replication_slot_retained_bytes", {**main, "slot": "standby"}, constant(3.3e8))
    replica = {"env": ENV, "host": "db-2", "database": "replica", "job": "sql"}
    yield Series("fleetwatch_pg_replication_lag_seconds", replica, constant(7.5))
    own = {**main, "datname": "shop"}
    yield Series("fleetwatch_timescale_info", {**own, "version": "2.17.2"}, constant(1))
    for k, table in enumerate(("public.readings", "public.events")):
        kept = {**own, "hypertable": table}
        for name, value in (
            ("hypertable_bytes", 6e8 + 2e8 * k), ("hypertable_chunks", 30 + 11 * k), ("chunks_uncompressed", k),
            ("before_compression_bytes", 5e9 + 1e9 * k), ("after_compression_bytes", 4e8 + 3e8 * k),
        ):  # fmt: skip
            yield Series(f"fleetwatch_timescale_{name}", kept, constant(value))
        job = {**kept, "job_id": str(1000 + k), "proc": "policy_compression"}
        for name, value in (
            ("job_failed", k), ("job_late_seconds", 12.0 + k), ("job_last_duration_seconds", 3.0 + k),
            ("job_runs_total", 900.0 + k), ("job_failures_total", 2.0 * k),
            ("job_last_success_timestamp_seconds", AT - 4000.0 - k),
        ):  # fmt: skip
            yield Series(f"fleetwatch_timescale_{name}", job, constant(value))
    yield Series(
        "fleetwatch_timescale_continuous_aggregate_lag_seconds", {**own, "view": "public.hourly"}, constant(3700)
    )


def app_series() -> Iterator[Series]:
    """The apps: HTTP metrics, and their own."""
    for i, (host, job) in enumerate((("web-1", "shop"), ("web-2", "shop"), ("web-2", "blog"))):
        base = {"env": ENV, "host": host, "job": job, "instance": f"{job}:8000"}
        yield Series("up", base, constant(1))
        for status, rate in (("200", 40.0 + 17 * i), ("404", 1.0), ("500", 0.4 + 1.1 * i)):
            yield Series("http_requests_total", {**base, "status": status}, counter(rate))
        yield from histogram("http_request_duration_seconds", base, 41.4 + 18.1 * i, (0.05, 0.1, 0.25, 0.5, 1, 2.5), i)
        if job == "shop":
            for status, rate in (("paid", 1.5 + 0.7 * i), ("failed", 0.05 + 0.04 * i)):
                yield Series("shop_orders_total", {**base, "status": status}, counter(rate))
            yield Series("shop_cart_items", base, wave(130 + 44 * i, 4))
            for k, queue in enumerate(("mail", "invoice", "image")):
                yield Series("shop_queue_depth", {**base, "queue": queue}, constant(5 + 9 * k + 2 * i))
            yield from histogram("shop_payment_seconds", base, 1.5 + 0.7 * i, (0.1, 0.5, 1, 5), i)
            yield Series("shop_cache_hits_total", base, counter(90.0 + i))
    base = {"env": ENV, "host": "web-2", "job": "billing", "instance": "billing:8000"}
    yield Series("up", base, constant(1))
    yield Series("billing_invoices_created_total", base, counter(0.2))
    yield Series("billing_open_invoices", base, wave(312, 5))
    yield from histogram("billing_export_duration_seconds", base, 0.02, (1, 5, 30, 120), 1)


def histogram(name: str, base: dict[str, str], rate: float, bounds: tuple[float, ...], i: int) -> Iterator[Series]:
    """Buckets that fill one after another."""
    for k, bound in enumerate((*map(str, bounds), "+Inf")):
        share = 1 - (0.3 + 0.06 * i) ** (k + 1) if bound != "+Inf" else 1.0
        yield Series(f"{name}_bucket", {**base, "le": bound}, counter(rate * share))
    yield Series(f"{name}_count", base, counter(rate))
    yield Series(f"{name}_sum", base, counter(rate * 0.12))


def hub_series() -> Iterator[Series]:
    """The hub's own components, alerts and backup."""
    base = {"env": ENV, "host": "hub"}
    for job in ("prometheus", "loki", "grafana", "caddy", "alertmanager", "backup"):
        yield Series("up", {**base, "job": job, "instance": job}, constant(1))
    prometheus, loki = {**base, "job": "prometheus"}, {**base, "job": "loki"}
    for name, value in (
        ("storage_blocks_bytes", 5.5e9), ("wal_storage_size_bytes", 3.1e8), ("head_chunks_storage_size_bytes", 9e7),
        ("retention_limit_seconds", 2 * 31536000.0), ("retention_limit_bytes", 2e10),
        ("lowest_timestamp_seconds", AT - 90 * 86400.0),
    ):  # fmt: skip
        yield Series(f"prometheus_tsdb_{name}", prometheus, constant(value))
    yield Series("prometheus_tsdb_head_samples_appended_total", {**prometheus, "type": "float"}, counter(1450))
    yield Series("prometheus_rule_evaluation_failures_total", prometheus, constant(0))
    yield Series("loki_ingester_memory_streams", loki, constant(73))
    yield Series("loki_distributor_bytes_received_total", loki, counter(5200))
    yield Series("loki_ingester_wal_disk_usage_percent", loki, constant(0.42))
    for code, rate in (("200", 12.0), ("204", 60.0), ("404", 0.3), ("502", 0.1)):
        labels = {**base, "job": "caddy", "code": code}
        yield Series("caddy_http_request_duration_seconds_count", labels, counter(rate))
    for state, value in (("active", 3), ("suppressed", 0)):
        yield Series("alertmanager_alerts", {**base, "job": "alertmanager", "state": state}, constant(value))
    for k, part in enumerate(("metrics", "logs", "grafana")):
        own = {**base, "job": "backup", "part": part}
        yield Series("fleetwatch_backup_last_success_timestamp_seconds", own, every(21600, 5000 + 100 * k))
        yield Series("fleetwatch_backup_size_bytes", own, constant(4e9 / (k + 1)))
        yield Series("fleetwatch_backup_failed", {**own, "reason": "none"}, constant(0))
        yield Series("fleetwatch_backup_duration_seconds", own, constant(100.0 + 11 * k))
        yield Series("hub:backup_expected", {**base, "part": part}, constant(1))
    for name, severity, host in (
        ("DiskUsed", "critical", "db-1"), ("MemoryUsed", "warning", "vps-1"),
        ("ContainerThrottled", "warning", "web-2"), ("Watchdog", "none", "hub"),
    ):  # fmt: skip
        labels = {"alertname": name, "alertstate": "firing", "severity": severity, "env": ENV, "host": host}
        labels |= {"container": "blog"} if host == "web-2" else {}
        yield Series("ALERTS", labels, constant(1))
        active = {key: value for key, value in labels.items() if key != "alertstate"}
        yield Series("ALERTS_FOR_STATE", active, constant(AT - 3600.0 * len(name)))


def series() -> list[Series]:
    """All of them, those of one name together."""
    found = [*host_series(), *container_series(), *database_series(), *app_series(), *hub_series()]
    return sorted(found, key=lambda one: one.name)


def times() -> list[int]:
    """The sample times: each minute of the last 27 hours and of an hour a week ago, before that each four minutes."""
    start, fine, week = AT - DAYS * 86400, AT - 27 * 3600, AT - 7 * 86400
    coarse = [t for t in range(start, fine, 240) if not week - 3600 <= t <= week + 600]
    return [*sorted({*coarse, *range(week - 3600, week + 601, 60)}), *range(fine, AT + 61, 60)]


def write(out: TextIO) -> int:
    """Every sample as OpenMetrics; returns how many."""
    moments, start, count, last = times(), AT - DAYS * 86400, 0, ""
    for one in series():
        if one.name != last:
            out.write(f"# TYPE {one.name} unknown\n")
            last = one.name
        head = one.text()
        out.writelines(f"{head} {one.value(t - start):.10g} {t}\n" for t in moments)
        count += len(moments)
    out.write("# EOF\n")
    return count
