"""When the alerts about machines fire, and when not."""

from __future__ import annotations

from configs.rules.recording import NEWEST
from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub"'
NODE = f'job="node",{OF}'
DISK = f'{NODE},device="/dev/vda",fstype="ext4",mountpoint="/"'
AVAILABLE, SIZE = f"node_filesystem_avail_bytes{{{DISK}}}", f"node_filesystem_size_bytes{{{DISK}}}"
FREE, FILES = f"node_filesystem_files_free{{{DISK}}}", f"node_filesystem_files{{{DISK}}}"
READ_ONLY = f"node_filesystem_readonly{{{DISK}}}"
DISK_LABELS = {"job": "node", "device": "/dev/vda", "fstype": "ext4", "mountpoint": "/"}
MEMORY = [f"node_memory_{what}_bytes{{{NODE}}}" for what in ("MemAvailable", "MemTotal")]
LOAD = f"node_load5{{{NODE}}}"
CORES = {f'node_cpu_seconds_total{{{NODE},cpu="{n}",mode="idle"}}': "0+1x200" for n in (0, 1)}
TIME, BOOT, UP = f"node_time_seconds{{{NODE}}}", f"node_boot_time_seconds{{{NODE}}}", f"up{{{NODE}}}"
SENT = {
    f'prometheus_remote_storage_queue_{what}_seconds{{job="agent",{OF}}}': "500x200"
    for what in ("highest_timestamp", "highest_sent_timestamp")
}
NET = {
    f'node_network_{way}_{what}_total{{{NODE},device="eth0"}}': "0x200"
    for way in ("receive", "transmit")
    for what in ("errs", "packets")
}
RX_ERRORS, RX_PACKETS, *_ = NET
KILLED = f"node_vmstat_oom_kill{{{NODE}}}"
GROWING = "400000000000-4000000000x100"  # bytes, 4 GB in 5 minutes

CASES = (
    Case(
        alert="DiskUsed",
        when="when little is left",
        series={AVAILABLE: "5x60", SIZE: "100x60"},
        fires=[fired("File system / on hub is 95% full", **DISK_LABELS)],
    ),
    Case(
        alert="DiskUsed",
        when="when it is another disk, which VolumeFull tells",
        series={
            **{key.replace('"/"', '"/mnt/data"').replace("vda", "sda"): "5x60" for key in (AVAILABLE,)},
            **{key.replace('"/"', '"/mnt/data"').replace("vda", "sda"): "100x60" for key in (SIZE,)},
            SIZE: "100x60",
        },
    ),
    Case(alert="DiskUsed", when="with half of it free", series={AVAILABLE: "50x60", SIZE: "100x60"}),
    Case(
        alert="DiskFullSoon",
        when="when the line of six hours meets the end within a day",
        series={AVAILABLE: GROWING, SIZE: "1000000000000x100"},
        step="5m",
        at="7h",
        fires=[fired("File system / on hub will be full in 1h 20m 0s", **DISK_LABELS)],
    ),
    Case(
        alert="DiskFullSoon",
        when="on a disk that is not half full, whatever the pace",
        series={AVAILABLE: "900000000000-3000000000x100", SIZE: "1000000000000x100"},
        step="5m",
        at="7h",
    ),
    Case(
        alert="DiskFullSoon",
        when="after two hours of samples only",
        series={AVAILABLE: "100000000000-4000000000x20", SIZE: "1000000000000x100"},
        step="5m",
        at="1h40m",
    ),
    Case(
        alert="DiskFullSoon",
        when="when the end is further away than a day",
        series={AVAILABLE: "400000000000-100000000x100", SIZE: "1000000000000x100"},
        step="5m",
        at="7h",
    ),
    Case(
        alert="InodesUsed",
        when="when few are left",
        series={FREE: "5x60", FILES: "100x60"},
        fires=[fired("File system / on hub uses 95% of its inodes", **DISK_LABELS)],
    ),
    Case(alert="InodesUsed", when="with half of them free", series={FREE: "50x60", FILES: "100x60"}),
    Case(alert="InodesUsed", when="on a file system that counts none", series={FREE: "0x60", FILES: "0x60"}),
    Case(
        alert="ReadOnlyFilesystem",
        when="when it could be written before",
        series={READ_ONLY: "0x12 1x20"},
        step="5m",
        at="1h20m",
        fires=[fired("File system / on hub became read-only", **DISK_LABELS)],
    ),
    Case(alert="ReadOnlyFilesystem", when="when it always was", series={READ_ONLY: "1x40"}, step="5m", at="3h"),
    Case(
        alert="ReadOnlyFilesystem",
        when="days later, while it cannot be written",
        series={READ_ONLY: "0x12 1x1000"},
        step="5m",
        at="73h",
        fires=[fired("File system / on hub became read-only", **DISK_LABELS)],
    ),
    Case(
        alert="ReadOnlyFilesystem",
        when="after a repair",
        series={READ_ONLY: "0x12 1x600 0x100"},
        step="5m",
        at="52h",
    ),
    Case(
        alert="MemoryUsed",
        when="when little is available",
        series=dict(zip(MEMORY, ("5x100", "100x100"), strict=True)),
        at="15m",
        fires=[fired("Host hub uses 95% of its memory", job="node")],
    ),
    Case(
        alert="MemoryUsed",
        when="for five minutes only",
        series=dict(zip(MEMORY, ("50x40 5x20 50x60", "100x200"), strict=True)),
        at="16m",
    ),
    Case(
        alert="LoadHigh",
        when="when more waits than two cores do",
        series={LOAD: "5x200", **CORES},
        at="20m",
        fires=[fired("Host hub has a load of 2.5 per core")],
    ),
    Case(alert="LoadHigh", when="when two cores have work for two", series={LOAD: "2x200", **CORES}, at="20m"),
    Case(
        alert="ClockSkew",
        when="when the kernel would set it back",
        series={f"node_timex_offset_seconds{{{NODE}}}": "-3x100"},
        fires=[fired("The clock of hub is 3s ahead")],
    ),
    Case(
        alert="ClockSkew",
        when="when the kernel would set it forward",
        series={f"node_timex_offset_seconds{{{NODE}}}": "90x100"},
        fires=[fired("The clock of hub is 1m 30s behind")],
    ),
    # Samples from the future: promtool loads none, tests/integration/test_clock.py has them.
    Case(
        alert="ClockSkew",
        when="when the freshest sample is always old",
        series={f"{NEWEST}{{{OF}}}": "-60+15x80", **SENT},
        at="15m",
        fires=[fired("The clock of hub is 40s behind")],
    ),
    Case(
        alert="ClockSkew",
        when="when samples are old because they wait to be sent",
        series={f"{NEWEST}{{{OF}}}": "-60+15x80", **SENT, list(SENT)[1]: "440x200"},
        at="15m",
    ),
    Case(
        alert="ClockSkew",
        when="with a good clock",
        series={TIME: "0+15x40", f"{NEWEST}{{{OF}}}": "-5+15x80", f"node_timex_offset_seconds{{{NODE}}}": "0.01x100"},
    ),
    Case(
        alert="NetworkErrors",
        when="when every tenth packet has one",
        series={**NET, RX_ERRORS: "0+150x200", RX_PACKETS: "0+1500x200"},
        at="20m",
        fires=[fired("Interface eth0 on hub has errors in 10% of its packets", job="node", device="eth0")],
    ),
    Case(
        alert="NetworkErrors",
        when="for one error on a quiet line",
        series={**NET, RX_ERRORS: "0x60 1x100", RX_PACKETS: "0+1x200"},
        at="20m",
    ),
    Case(
        alert="OutOfMemory",
        when="when the kernel ended processes",
        series={KILLED: "25x10 27x60"},
        fires=[fired("Host hub ran out of memory: 2 OOM kills in 15 minutes", job="node")],
    ),
    Case(alert="OutOfMemory", when="for what was long ago", series={KILLED: "25x200"}, at="40m"),
    Case(
        alert="HostRestarted",
        when="when a host that was known is back",
        series={UP: "1x5 _x20 1x60", TIME: "_x26 1560+60x60", BOOT: "_x26 1500x60"},
        step="1m",
        at="30m",
        fires=[fired("Host hub booted 5m 0s ago", job="node")],
    ),
    Case(
        alert="HostRestarted",
        when="for a host that is new",
        series={UP: "_x26 1x60", TIME: "_x26 1560+60x60", BOOT: "_x26 1500x60"},
        step="1m",
        at="30m",
    ),
    Case(
        alert="HostRestarted",
        when="when it has run for long",
        series={UP: "1x60", TIME: "100000+60x60", BOOT: "5x60"},
        step="1m",
        at="30m",
    ),
)

_PENDING = f'vmagent_remotewrite_pending_data_bytes{{job="agent",{OF}}}'
_QUEUED = {f'vmagent_remotewrite_block_size_bytes_sum{{job="agent",{OF}}}': "0+15000x200"}
VMAGENT_CASES = (
    Case(
        alert="ClockSkew",
        when="when the freshest sample is always old, and vmagent has sent all",
        series={f"{NEWEST}{{{OF}}}": "-60+15x80", **_QUEUED, _PENDING: "0x200"},
        at="15m",
        fires=[fired("The clock of hub is 40s behind")],
    ),
    Case(
        alert="ClockSkew",
        when="when samples are old because they wait in vmagent's queue",
        series={f"{NEWEST}{{{OF}}}": "-60+15x80", **_QUEUED, _PENDING: "60000x200"},
        at="15m",
    ),
)
