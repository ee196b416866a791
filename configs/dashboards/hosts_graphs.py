"""The lower half of the page of hosts: CPU, memory, disks and network over time."""

from __future__ import annotations

from configs.dashboards.model import Graph, Query, Row, declared
from configs.rules import hosts as rules

OF = 'job="node",env=~"$env",host=~"$host"'
DISKS = f"{OF},{rules.DISKS}"
CARDS = OF + ',device!~"lo|veth.*|br-.*|docker.*|virbr.*|ifb.*"'
BY = "by (env, host)"
WORST_DISK = f"1 - node_filesystem_avail_bytes{{{DISKS}}} / (node_filesystem_size_bytes{{{DISKS}}} > 0)"
# Those that make inodes as they go have 0 of them.
INODES = f"1 - node_filesystem_files_free{{{DISKS}}} / (node_filesystem_files{{{DISKS}}} > 0)"
CPU = f'1 - avg {BY} (rate(node_cpu_seconds_total{{{OF},mode="idle"}}[$__rate_interval]))'
MEMORY = f"1 - max {BY} (node_memory_MemAvailable_bytes{{{OF}}} / node_memory_MemTotal_bytes{{{OF}}})"

_processor = Row(
    heading="CPU and memory",
    panels=(
        Graph(
            title="CPU used",
            about="Share of all cores that is not idle.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=CPU, legend="{{host}}"),),
        ),
        Graph(
            title="Memory used",
            about="Share of memory that programs hold; what the kernel can give back at once does not count.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=MEMORY, legend="{{host}}"),),
        ),
        Graph(
            title="Waiting for CPU, disk or memory",
            about="Share of time in which some process could not go on for lack of it (the kernel's pressure figures).",
            unit="percentunit",
            queries=(
                Query(
                    expr=f"rate(node_pressure_cpu_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} CPU",
                ),
                Query(
                    expr=f"rate(node_pressure_io_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} disk",
                ),
                Query(
                    expr=f"rate(node_pressure_memory_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} memory",
                ),
            ),
        ),
    ),
)

_disk = Row(
    heading="Disk",
    panels=(
        Graph(
            title="Disk space used",
            about="Share of each file system that is in use, as an ordinary user sees it.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=f"max by (env, host, mountpoint) ({WORST_DISK})", legend="{{host}} {{mountpoint}}"),),
        ),
        Graph(
            title="Inodes used",
            about="Share of each file system. With none left no file can be made, however much space is free.",
            unit="percentunit",
            top=1,
            nothing="as many as there is space",
            queries=(
                Query(
                    expr=f"max by (env, host, mountpoint) ({INODES})",
                    legend="{{host}} {{mountpoint}}",
                    empty=declared("some file systems (btrfs) make inodes as they go and have no number of them"),
                ),
            ),
        ),
        Graph(
            title="Disk reads and writes",
            about="Bytes per second between the machine and its disks.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_disk_read_bytes_total{{{OF}}}[$__rate_interval]))",
                    legend="{{host}} read",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_disk_written_bytes_total{{{OF}}}[$__rate_interval]))",
                    legend="{{host}} written",
                ),
            ),
        ),
    ),
)

_network = Row(
    heading="Network",
    panels=(
        Graph(
            title="Network traffic",
            about="Bytes per second through the machine's own interfaces, without those of containers.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_bytes_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} in",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_transmit_bytes_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} out",
                ),
            ),
        ),
        Graph(
            title="Network errors and drops",
            about="Packets per second that were damaged or thrown away, in and out.",
            unit="pps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_errs_total{{{CARDS}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_errs_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} errors",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_drop_total{{{CARDS}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_drop_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} drops",
                ),
            ),
        ),
    ),
)

ROWS = (_processor, _disk, _network)
