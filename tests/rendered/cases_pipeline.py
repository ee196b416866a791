"""When the alerts about the way of metrics and logs fire, and when not."""

from __future__ import annotations

from configs.rules import fleet
from configs.rules.recording import NEWEST
from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub"'
AGENT = f'up{{job="agent",{OF},instance="localhost:9090"}}'
STEADY = {AGENT: "1x400"}
EXPECTED = f"{fleet.EXPECTED}{{{OF}}}"
LATEST = f"{NEWEST}{{{OF}}}"
NODE = f'up{{job="node",{OF},instance="10.213.77.1:9100"}}'
GIVEN_UP = f'promtail_dropped_entries_total{{job="promtail",{OF},reason="ingester_error"}}'
GIVEN_UP_BY_ALLOY = f'loki_write_dropped_entries_total{{job="alloy",{OF}}}'
WRITTEN = f'prometheus_tsdb_wal_record_parts_bytes_written_total{{job="agent",{OF}}}'
FREE = f'node_filesystem_avail_bytes{{job="node",{OF},device="/dev/vda",fstype="ext4",mountpoint="/"}}'
REFUSED = f'prometheus_remote_storage_samples_failed_total{{job="agent",{OF}}}'
DROPPED = "prometheus_remote_storage_samples_dropped_total{{" + f'job="agent",{OF},' + 'reason="{}"}}'
# The same of vmagent, of which a block has 100 samples and a sample 10 bytes.
BLOCKS = {
    f'vmagent_remotewrite_block_size_rows_sum{{job="agent",{OF}}}': "0+1000x400",
    f'vmagent_remotewrite_block_size_rows_count{{job="agent",{OF}}}': "0+10x400",
    f'vmagent_remotewrite_block_size_bytes_sum{{job="agent",{OF}}}': "0+10000x400",
}
BLOCKS_REFUSED = f'vmagent_remotewrite_packets_dropped_total{{job="agent",{OF},url="1:secret-url"}}'
BYTES_DROPPED = f'vm_persistentqueue_bytes_dropped_total{{job="agent",{OF},name="1:secret-url"}}'
QUEUED = f'vmagent_remotewrite_block_size_bytes_sum{{job="agent",{OF}}}'
STREAMS = f'loki_ingester_memory_streams{{job="loki",{OF},tenant="fake"}}'
GAP = "Metrics of hub have a permanent gap of {}"

CASES = (
    Case(alert="Watchdog", when="always", series={}, at="1m", fires=[fired("Alerting works")]),
    Case(
        alert="HostSilent",
        when="when a host never sent",
        series={EXPECTED: "1x200"},
        at="23m",
        fires=[fired("Host hub sends no data")],
    ),
    Case(alert="HostSilent", when="while a new host boots", series={EXPECTED: "1x200"}, at="20m"),
    Case(
        alert="HostSilent",
        when="when a host stopped",
        series={AGENT: "1x40", LATEST: "0+15x40 600x60"},
        at="18m",
        fires=[fired("Host hub sends no data")],
    ),
    Case(alert="HostSilent", when="while it sends", series={**STEADY, LATEST: "0+15x400"}, at="30m"),
    Case(alert="HostSilent", when="during a short pause", series={LATEST: "0+15x40 600x12 780+15x100"}, at="13m30s"),
    Case(
        alert="HostSilent",
        when="while a backlog arrives",
        series={AGENT: "1x40", LATEST: "0+15x40 600x20 600+30x100"},
        at="20m",
    ),
    Case(
        alert="ForeignHost",
        when="when a host sends that is not in the stack file",
        series={**STEADY, 'up{job="agent",env="test",host="old-1"}': "1x100"},
        at="15m",
        fires=[fired('The hub receives data from host "old-1", which is not in the stack file', host="old-1")],
    ),
    Case(alert="ForeignHost", when="for the hosts of the stack file", series=STEADY, at="15m"),
    Case(
        alert="TargetDown",
        when="when a scrape fails",
        series={**STEADY, NODE: "0x100"},
        at="5m",
        fires=[
            fired(
                "Job node on hub is down: 10.213.77.1:9100 cannot be scraped",
                job="node",
                instance="10.213.77.1:9100",
            )
        ],
    ),
    Case(
        alert="TargetDown",
        when="for a target whose answer is rejected, which is ScrapeRejected",
        series={NODE: "0x100", NODE.replace("up", "scrape_samples_scraped", 1): "9000x100"},
    ),
    Case(alert="TargetDown", when="while all answer", series=STEADY, at="30m"),
    Case(alert="TargetDown", when="for a restart", series={NODE: "1x20 0x4 1x100"}, at="6m15s"),
    Case(
        alert="TargetDown",
        when="for a part of the hub, which HubPartDown tells",
        series={f'up{{job="loki",{OF}}}': "0x100"},
    ),
    Case(
        alert="RemoteWriteBehind",
        when="when samples keep coming, but late",
        series={LATEST: "-600+20x100"},
        fires=[fired("Metrics of hub arrive 6m 40s late")],
    ),
    Case(alert="RemoteWriteBehind", when="when nothing comes: HostSilent tells", series={LATEST: "0x100"}),
    Case(alert="RemoteWriteBehind", when="when they come in time", series={LATEST: "-10+15x100"}),
    Case(
        alert="AgentBufferFilling",
        when="when more is written than the WAL keeps",
        series={WRITTEN: "0+40000000x200"},
        step="1m",
        at="100m",
        fires=[
            fired("The agent on hub can buffer about 10m 3s of metrics, less than the outage budget of 1d"),
        ],
    ),
    Case(
        alert="AgentBufferFilling",
        when="when the disk is too full for an outage",
        series={WRITTEN: "0+60000x200", FREE: "3600000x200"},
        step="1m",
        at="100m",
        fires=[
            fired("The agent on hub can buffer about 1h 0m 0s of metrics, less than the outage budget of 1d"),
        ],
    ),
    Case(
        alert="AgentBufferFilling",
        when="with room for the budget",
        series={WRITTEN: "0+60000x200", FREE: "50000000000x200"},
        step="1m",
        at="100m",
    ),
    Case(
        alert="SamplesDropped",
        when="when the hub refused some",
        series={REFUSED: "0x20 5x100"},
        fires=[fired("5 samples of hub were rejected or dropped in 15 minutes")],
    ),
    Case(
        alert="SamplesDropped",
        when="when the hub refused millions",
        series={REFUSED: "0x20 3456789x100"},
        fires=[fired("3456789 samples of hub were rejected or dropped in 15 minutes")],
    ),
    Case(
        alert="SamplesDropped",
        when="when the counter begins with the first loss",
        series={DROPPED.format("too_old"): "_x20 7x60"},
        fires=[fired("7 samples of hub were rejected or dropped in 15 minutes")],
    ),
    Case(
        alert="SamplesDropped",
        when="for what was long ago",
        series={REFUSED: "7x400", DROPPED.format("too_old"): "7x400"},
        at="90m",
    ),
    Case(alert="SamplesDropped", when="for what is left out", series={DROPPED.format("dropped_series"): "_x20 7x60"}),
    Case(
        alert="SamplesLost",
        when="after a gap shorter than the look-back",
        series={AGENT: "1x40 _x12 1x100"},
        at="20m",
        fires=[fired(GAP.format("2m 0s"), job="agent", instance="localhost:9090")],
    ),
    Case(
        alert="SamplesLost",
        when="after a long gap",
        series={AGENT: "1x40 _x60 1x100"},
        at="30m",
        fires=[fired(GAP.format("3m 45s"), job="agent", instance="localhost:9090")],
    ),
    Case(alert="SamplesLost", when="without a gap", series=STEADY, at="90m"),
    Case(alert="SamplesLost", when="once an hour has passed", series={AGENT: "1x40 _x12 1x400"}, at="80m"),
    Case(alert="SamplesLost", when="for a host that is still away", series={AGENT: "1x40 _x100"}, at="14m"),
    Case(
        alert="LogLinesLost",
        when="when Promtail gave up",
        series={GIVEN_UP: "0x20 5x100"},
        fires=[fired("5 log lines of hub were lost in 15 minutes")],
    ),
    Case(
        alert="LogLinesLost",
        when="when Alloy gave up",
        series={GIVEN_UP_BY_ALLOY: "0x20 5x100"},
        fires=[fired("5 log lines of hub were lost in 15 minutes")],
    ),
    Case(alert="LogLinesLost", when="for what was long ago", series={GIVEN_UP: "7x100"}, at="20m"),
    Case(
        alert="StreamsMany",
        when="when most are in use",
        series={STREAMS: "9000x60"},
        fires=[fired("Loki uses 90% of its limit of log streams")],
    ),
    Case(alert="StreamsMany", when="when few are in use", series={STREAMS: "25x60"}),
)

VMAGENT_CASES = (
    Case(
        alert="SamplesDropped",
        when="when the hub refused blocks of vmagent",
        series={**BLOCKS, BLOCKS_REFUSED: "0x20 3x100"},
        fires=[fired("300 samples of hub were rejected or dropped in 15 minutes")],
    ),
    Case(
        alert="SamplesDropped",
        when="when vmagent's queue was full",
        series={**BLOCKS, BYTES_DROPPED: "0x20 500x100"},
        fires=[fired("50 samples of hub were rejected or dropped in 15 minutes")],
    ),
    Case(alert="SamplesDropped", when="when vmagent lost none", series={**BLOCKS, BLOCKS_REFUSED: "0x100"}),
    Case(
        alert="AgentBufferFilling",
        when="when more is collected than vmagent's queue keeps",
        series={QUEUED: "0+6000000x200"},
        step="1m",
        at="100m",
        fires=[
            fired("The agent on hub can buffer about 1h 48m 0s of metrics, less than the outage budget of 1d"),
        ],
    ),
    Case(alert="AgentBufferFilling", when="for a usual host", series={QUEUED: "0+60000x200"}, step="1m", at="100m"),
)
