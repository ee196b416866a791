"""What alerts and panels need of the agents' own metrics, which the two metrics agents name differently.

An expression has a variant for each kind that is on the hosts it is about: a selector that finds nothing on a healthy
stack would hide a mistake.
"""

from __future__ import annotations

import re

from configs.rules.counters import increase_of, increase_or_first_event
from configs.rules.model import Group, Record, constant, selects
from configs.services import vmagent
from configs.settings import Settings

PROMETHEUS, VMAGENT = "prometheus", "vmagent"
BY = "by (env, host)"
SEGMENT = 128 * 1024**2  # bytes of a segment of Prometheus' write-ahead log
BUFFER = "host:agent_buffer:bytes"
WRITTEN = "host:agent_written:bytes_per_second"
# Bytes of the blocks that are to be sent, on disk and in memory.
PENDING = "vmagent_remotewrite_pending_data_bytes"
QUEUED = "vmagent_remotewrite_block_size_bytes_sum"


def kinds(settings: Settings, matchers: str = "") -> list[str]:
    """The kinds of metrics agents of the hosts that the matchers (of an alert's scope) select."""
    found = re.search(r'(?:^|,)host(=|!~)"([^"]*)"', matchers)
    used = set()
    for name, edge in settings.edges.items():
        if (found is None or selects(found[1], found[2], name)) and not settings.hosts[name].abandoned:
            used.add(edge.metrics.agent)
    return sorted(used) or [PROMETHEUS]


def variants(settings: Settings, matchers: str, by_kind: dict[str, str]) -> str:
    """The expressions of the kinds that are used."""
    return " or ".join(by_kind[kind] for kind in kinds(settings, matchers))


def group(settings: Settings) -> Group:
    """How much each agent can keep on disk while the hub is down, and how fast it fills that."""
    return Group(name="agents", rules=(_buffer(settings), _written(settings)))


def _buffer(settings: Settings) -> Record:
    """A constant for each host. Of three segments a Prometheus agent has a whole budget; vmagent's queue has a cap."""
    each = [
        constant(
            vmagent.queue_size(settings, name) if edge.metrics.agent == VMAGENT else 3 * SEGMENT,
            host=name,
            env=settings.env,
        )
        for name, edge in sorted(settings.edges.items())
    ]
    return Record(name=BUFFER, expr="\nor\n".join(each))


def _written(settings: Settings) -> Record:
    """Bytes per second of the last hour. vmagent writes to its queue only while the hub is down, but in the same
    blocks."""
    wal = 'prometheus_tsdb_wal_record_parts_bytes_written_total{job="agent"}'
    rates = {
        PROMETHEUS: f"sum {BY} (rate({wal}[1h])) > 0",
        VMAGENT: f'sum {BY} (rate({QUEUED}{{job="agent"}}[1h])) > 0',
    }
    return Record(name=WRITTEN, expr=variants(settings, "", rates))


def nothing_queued(settings: Settings, matchers: str, pause: int) -> str:
    """Hosts whose agent has sent what it collected, but for `pause` seconds."""
    agent = f'job="agent"{matchers}'
    queue = "prometheus_remote_storage_queue_highest"
    return variants(
        settings,
        matchers,
        {
            PROMETHEUS: f"max {BY} ({queue}_timestamp_seconds{{{agent}}} - {queue}_sent_timestamp_seconds{{{agent}}})"
            f" < {pause}",
            VMAGENT: f"max {BY} ({PENDING}{{{agent}}}) < {pause} * sum {BY} (rate({QUEUED}{{{agent}}}[10m]))",
        },
    )


def rejected(settings: Settings, matchers: str, window: str, function: str = "increase") -> str:
    """Samples that the hub rejected, or by `rate` those of a second. vmagent counts blocks: theirs is the mean size of
    a block."""
    agent = f'job="agent"{matchers}'
    rows = "vmagent_remotewrite_block_size_rows"
    return variants(
        settings,
        matchers,
        {
            PROMETHEUS: f"sum {BY} ({function}(prometheus_remote_storage_samples_failed_total{{{agent}}}[{window}]))",
            VMAGENT: f"sum {BY} ({function}(vmagent_remotewrite_packets_dropped_total{{{agent}}}[{window}]))"
            f" * sum {BY} ({rows}_sum{{{agent}}}) / (sum {BY} ({rows}_count{{{agent}}}) > 0)",
        },
    )


def dropped(settings: Settings, matchers: str, window: str) -> str:
    """Samples that the agent dropped. vmagent counts the bytes that its full queue dropped; a sample has their mean."""
    agent = f'job="agent"{matchers}'
    reason = f'{agent},reason!="dropped_series"'  # dropped by configuration
    drops = increase_or_first_event("prometheus_remote_storage_samples_dropped_total", reason, window)
    lost = increase_of("vm_persistentqueue_bytes_dropped_total", agent, window)
    size = "vmagent_remotewrite_block_size"
    return variants(
        settings,
        matchers,
        {
            PROMETHEUS: f"sum {BY} ({drops})",
            VMAGENT: f"sum {BY} ({lost})"
            f" * sum {BY} ({size}_rows_sum{{{agent}}}) / (sum {BY} ({size}_bytes_sum{{{agent}}}) > 0)",
        },
    )


def sample_rate(settings: Settings, agent: str, window: str) -> str:
    """Samples per second that agents collect. `agent`: the matchers of their jobs."""
    return variants(
        settings,
        "",
        {
            PROMETHEUS: f"sum {BY} (rate(prometheus_agent_samples_appended_total{{{agent}}}[{window}]))",
            VMAGENT: f"sum {BY} (rate(vmagent_remotewrite_rows_pushed_after_relabel_total{{{agent}}}[{window}]))",
        },
    )


def lag(settings: Settings, agent: str, window: str) -> str:
    """Seconds that each agent is behind with sending. vmagent knows the bytes: at the rate at which it queues them."""
    queue = "prometheus_remote_storage_queue_highest"
    return variants(
        settings,
        "",
        {
            # 0 before the first sample is sent
            PROMETHEUS: f"max {BY} ({queue}_timestamp_seconds{{{agent}}}"
            f" - ({queue}_sent_timestamp_seconds{{{agent}}} > 0))",
            VMAGENT: f"sum {BY} ({PENDING}{{{agent}}}) / (sum {BY} (rate({QUEUED}{{{agent}}}[{window}])) > 0)",
        },
    )
