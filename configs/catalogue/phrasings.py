"""How people ask for each panel: a few phrasings per query, separated by semicolons.

The key is `board/panel`, and `board/panel/column or legend` where a panel has several queries, without the labels of
the legend. Terms are matched after synonyms and stems, so one phrasing stands for many; what matters is that the
phrasings of two queries differ.
"""

from __future__ import annotations

import re

from configs.catalogue.exporter_phrasings import EXPORTER_BOARDS

FLEET = {
    "Hosts": "hosts of the stack file; number of hosts; how many hosts are there; how many servers do we have",
    "Silent hosts": "silent hosts; hosts without data; hosts down; hosts offline; missing hosts",
    "Firing alerts": "number of firing alerts; how many alerts; alert count",
    "Failed scrapes": "failed scrapes; scrape failures; targets down; how many scrapes fail",
    "Running containers": "running containers; number of containers; how many containers run; container count",
    "PostgreSQL servers down": "postgres servers down; databases down; is postgres down",
    "Host overview/State": "host state; hosts up; is the host up; hosts online; host alive; hosts reachable",
    "Host overview/CPU": "cpu usage",
    "Host overview/Memory": "memory usage",
    "Host overview/Disk": "max disk usage; fullest disk of each host; disk usage per host; host disk full",
    "Host overview/Time to full": "time to full; when will the disk be full; disk full soon; until out of disk space",
    "Host overview/Starts": "container starts per host; container restarts per host",
    "Host overview/Alerts": "firing alerts per host; alerts per host",
    "Host overview/Last sample": "last sample; age of the newest sample; last seen; when was data last received",
    "Host overview/Last line": "last log line; when was the last log line",
    "Host overview/Databases": "databases per host; number of database servers per host",
    "Host overview/Requests": "request rate per host; requests per second per host",
    "Alert list/Count": "alert list; alerts; firing alerts; which alerts are firing; "
    "active alerts; what is wrong; problems",
    "CPU usage": "cpu usage; busy cpu; processor busy",
    "Memory usage": "memory usage",
    "Max disk usage": "max disk usage; fullest disk of each host",
}
HOSTS = {
    "Hosts up": "number of hosts up; how many hosts are up",
    "Silent hosts": "hosts that became silent; hosts that stopped sending; how many hosts are down",
    "Firing alerts": "number of firing alerts of hosts",
    "OOM kills": "oom kills of hosts; out of memory kills; processes killed by the kernel",
    "Read-only file systems": "read-only disks; disk became read-only",
    "Host overview/CPU": "cpu usage",
    "Host overview/Memory": "memory usage",
    "Host overview/Disk": "max disk usage",
    "Host overview/Time to full": "time to full; when will the disk be full; how long until disk is full",
    "Host overview/Load per core": "load per core; host load; system load; load average",
    "Host overview/Clock offset": "clock offset; clock skew; clock drift; time drift; is the clock right; ntp offset",
    "Host overview/Uptime": "host uptime; uptime; how long has the host been running; last reboot; boot time; time up",
    "Host overview/Last sample": "last sample of the host",
    "Host overview/Databases": "databases per host",
    "CPU usage": "cpu usage; host cpu",
    "Memory usage": "memory usage; host memory",
    "Pressure (PSI)/CPU": "cpu pressure; waiting for cpu",
    "Pressure (PSI)/I/O": "io pressure; disk pressure; waiting for io; io wait",
    "Pressure (PSI)/memory": "memory pressure; waiting for memory",
    "Disk space usage": "disk usage; disk space usage; how full is the disk; disk used; disk mountpoint",
    "Inode usage": "inode usage; inodes used; free inodes",
    "Disk I/O/read": "disk read; bytes read from disk; disk read throughput; disk read rate",
    "Disk I/O/written": "disk write; bytes written to disk; disk write throughput; disk write rate",
    "Network traffic/receive": "network receive; network traffic received; incoming traffic; download; "
    "bandwidth in; network in",
    "Network traffic/transmit": "network transmit; network traffic sent; outgoing traffic; upload; "
    "bandwidth out; network out; host sends over the network",
    "Network errors and drops/errors": "network errors; packet errors; interface errors",
    "Network errors and drops/drops": "network drops; dropped packets; packet loss",
}
CONTAINERS = {
    "Running containers": "running containers; number of containers; containers per project",
    "Memory usage": "total memory usage of all containers; memory of containers in total",
    "Container starts": "total container starts; total container restarts",
    "OOM kills": "oom kills of containers; containers killed out of memory; container oom",
    "Container overview/CPU (cores)": "container cpu; container cpu cores; cpu usage of containers; busy containers",
    "Container overview/Memory": "container memory; memory usage of containers; memory by container",
    "Container overview/Of limit": "container memory usage of limit; container memory limit; "
    "containers close to their memory limit; container near memory limit",
    "Container overview/Receive": "container network receive",
    "Container overview/Transmit": "container network transmit",
    "Container overview/Uptime": "container uptime; how long has the container been running; container age; "
    "when did the container start",
    "CPU usage by container": "cpu usage by container; container cpu; busy containers",
    "Memory usage by container": "memory usage by container; container memory; working set",
    "Memory usage of limit": "container memory usage of limit; container memory limit usage",
    "CPU throttling": "cpu throttling; throttled containers; container cpu limit; container throttled",
    "Network receive": "container network receive; incoming traffic of containers; network traffic into container",
    "Network transmit": "container network transmit; outgoing traffic of containers; container sends",
    "Container starts by container": "container restarts; container starts; how often did the container restart; "
    "which containers restarted",
}
LOGS = {
    "Line count": "number of log lines; how many log lines; log line count",
    "Error count": "number of error lines; how many errors in the logs; log error count",
    "Log volume": "log volume; bytes of logs; how much is logged",
    "Hosts with logs": "hosts with logs; how many hosts send logs",
    "Containers with logs": "containers with logs; how many containers write logs",
    "Log lines by level": "log lines by level; log levels",
    "Log rate by host": "log rate by host; log lines per second by host",
    "Error rate by source": "log error rate by source; log errors per second",
    "Top log sources/Lines": "top log sources; noisiest logs; which container logs the most",
    "Latest errors": "latest errors in the log; log errors; show log errors",
    "Log lines": "log lines; show logs; tail logs; search logs",
}
HUB = {
    "Hub components": "hub components; healthy hub components; hub health; is the hub healthy; hub components up; "
    "monitoring up; prometheus up; loki up; grafana up; caddy up; alertmanager up",
    "Firing alerts": "firing alerts of the fleet count",
    "Failed scrapes": "failed scrapes; targets that fail",
    "Failed config reloads": "failed config reloads; config reload failures; configuration not read",
    "Rule evaluation failures": "rule evaluation failures; failing rules; alert rules that fail",
    "TSDB failures": "tsdb failures; prometheus database failures; prometheus write failures",
    "Undelivered alerts": "undelivered alerts; alerts not delivered to alertmanager",
    "Ingestion by host/Last sample": "last sample received from each host; newest sample age",
    "Ingestion by host/Sample rate": "sample rate by host; samples per second by host",
    "Ingestion by host/Remote write lag": "remote write lag; how far are the agents behind",
    "Ingestion by host/Failed samples": "failed samples; rejected samples by host",
    "Ingestion by host/Log agent": "log agent up; is the log agent running; promtail up",
    "Remote write lag": "remote write lag; agent lag; delay of metrics; agents behind",
    "Lost samples/rejected": "lost samples; rejected samples; samples lost",
    "Lost samples/too old": "samples too old; samples out of bounds",
    "Lost log lines/dropped": "lost log lines; dropped log lines",
    "Lost log lines/discarded by Loki": "log lines discarded by loki; loki discards",
    "Hub disk usage": "hub disk usage; disk of the hub",
    "Hub disk usage/Loki": "loki disk usage; loki wal disk",
    "Hub disk usage/alert threshold": "alert threshold of the hub disk",
    "Time until hub disk is full": "time until hub disk is full; when will the hub disk be full",
    "Time until hub disk is full/until metrics reach retention": "time until metrics reach retention",
    "Agent buffer headroom": "agent buffer headroom; how long can the agent buffer; outage buffer",
    "Agent buffer headroom/outage budget": "outage budget",
    "Metrics size at full retention/current": "current size of the metrics",
    "Metrics size at full retention/at full retention": "expected size of metrics at full retention",
    "Metrics size at full retention/size limit": "size limit of the metrics",
    "Metrics retention/oldest sample": "age of the oldest sample; how far back do metrics go; metrics history",
    "Metrics retention/retention": "metrics retention; how long are metrics kept; prometheus retention",
    "Backup age": "backup age; how old is the backup; last backup; last successful backup; "
    "when was the last backup; time since backup",
    "Failed backups": "failed backups; did the backup fail; backup failures; backup ok",
    "Failed repository checks": "failed repository checks; backup repository check; is the backup readable",
    "Last restore drill": "last restore drill; when was the restore drilled; backup drill age",
    "Backup progress": "backup progress; is a backup running",
    "Backup duration": "backup duration; how long does the backup take",
    "Backup duration/since the check": "time since the repository check; age of the backup check",
    "Backup size": "backup size; how big is the backup",
    "Backup size/added": "bytes added by the last backup; backup growth",
    "Ingested samples/all": "ingested samples; samples per second; ingestion rate; samples ingested",
    "Ingested samples/out of order": "out of order samples",
    "Sample rate by host": "sample rate by host; samples per second by host; samples that each agent collects",
    "Samples per scrape": "samples per scrape; series per job; samples that each job exposes",
    "TSDB size on disk/blocks": "tsdb size; size of the metrics; prometheus blocks size; prometheus database size",
    "TSDB size on disk/write-ahead log": "prometheus wal size; write-ahead log size",
    "TSDB size on disk/head chunks": "prometheus head chunks size",
    "Ingested log bytes": "ingested log bytes; log bytes per second; loki ingestion rate",
    "Log rate by host": "accepted log lines per second by host; log agent rate; sent log lines",
    "Log streams/streams": "log streams; loki streams; number of log streams; active streams",
    "Log streams/limit": "limit of log streams; maximum log streams",
    "Request rate by status code": "caddy requests by status code; caddy request rate; requests to caddy",
    "Failed requests": "failed caddy requests; caddy errors; rejected pushes",
    "Alerts and failed notifications": "alertmanager alerts by state; silenced alerts",
    "Alerts and failed notifications/failed notifications per minute": "failed notifications; notification failures",
    "Rule evaluation duration": "rule evaluation duration; how long do rules take",
    "Certificate age": "certificate age; when was the certificate renewed; how old is the certificate",
    "Failed renewals": "failed certificate renewals; certificate renewal failures",
    "Certificate log": "certificate log; log of certificate renewals",
    "Refused sign-ins": "refused sign-ins; failed logins to grafana; wrong password; who failed to sign in to grafana",
    "Last upload of metrics": "last upload of metrics; when were metrics uploaded to the bucket",
    "Blocks in the bucket": "blocks in the bucket; number of blocks in object storage",
    "Compaction": "compaction; does compaction work",
    "Failed bucket requests": "failed bucket requests; bucket errors",
    "Bucket requests": "bucket requests; request rate of the bucket",
    "Memory of the metrics store": "memory of the metrics store; memory of thanos",
    "Compaction backlog": "compaction backlog; compactions that are due",
    "Query duration": "query duration; how long do queries take",
    "Assistant's components": "assistant's components; is the assistant up; what the assistant reaches",
    "Sign-ins to the assistant": "sign-ins to the assistant; failed sign-ins to the assistant",
    "Questions to the assistant": "questions to the assistant by outcome; how often does the assistant abstain",
    "Time to answer a question": "time to answer a question; how long does the assistant take",
    "Assistant's cache": "assistant's cache hits; how many answers of the assistant come from its cache",
    "Assistant's jobs and lost history": "jobs of the assistant; answers missing in the assistant's history",
    "Questions for the language model": "questions for the language model; how often is the language model used",
    "Language model errors": "language model errors; failed requests to the language model",
    "Language model tokens": "language model tokens; tokens used by the language model",
    "Embeddings of the catalogue": "embeddings of the catalogue; how many texts have no embedding",
    "Embedding errors": "embedding errors; failed requests for embeddings",
    "Requests to the assistant": "requests to the assistant; how often is the assistant used",
    "Grafana sign-ins and changes": "grafana sign-ins; who signed in to grafana; grafana audit; grafana changes",
}
POSTGRES = {
    "Servers up": "number of postgres servers up; how many postgres servers are up",
    "Servers down": "number of postgres servers down",
    "Deadlocks": "deadlocks; postgres deadlocks; number of deadlocks",
    "Failed exporter queries": "failed exporter queries; sql exporter errors",
    "Server overview/State": "postgres state; is postgres up; postgres server up; database up; database server up",
    "Server overview/Connections": "postgres connections; database connections; number of connections; sessions",
    "Server overview/Connection usage": "connection usage; share of connections used; postgres connection limit; "
    "max connections used; connection pool used",
    "Server overview/Transaction rate": "server transaction rate; transactions per second of the server; queries per "
    "second postgres",
    "Server overview/Size": "postgres server size; total size of the postgres server",
    "Server overview/Oldest transaction": "oldest transaction of the server",
    "Server overview/Transaction IDs": "server transaction id usage",
    "Connections by state": "connections by state; idle in transaction connections; postgres activity; idle "
    "connections; active connections",
    "Transaction rate/committed": "transaction rate; commits per second; committed "
    "transactions; transactions per second",
    "Transaction rate/rolled back": "rollbacks per second; postgres rollbacks; rolled back transactions",
    "Row activity/fetched": "rows fetched; rows read per second",
    "Row activity/changed": "rows changed; rows written per second; inserts updates deletes",
    "Oldest transaction": "oldest transaction; longest open transaction; transaction open; long running transactions; "
    "transaction age",
    "Locks by mode": "database locks; postgres locks; locks by mode; held locks",
    "Cache hit ratio": "cache hit ratio; postgres cache hits; shared buffers hit; buffer cache; database cache hit",
    "Database size": "database size; size of the database; how big is the database; database growth",
    "Temporary file writes": "temporary file writes; temp files; temp bytes; work_mem spill",
    "Largest tables/Size": "largest tables; table size; biggest tables; size of the table",
    "Largest tables/Dead row ratio": "dead row ratio; dead rows; table bloat; tables with dead rows; dead tuples",
    "Transaction ID usage": "transaction id usage; wraparound; transaction ids used; xid",
    "Replication lag (time)": "replication lag; standby lag; how far is the standby behind; replica lag",
    "Replication lag (bytes)": "replication lag bytes; standby lag bytes; standby lag; wal not replayed by the standby",
    "WAL retained by replication slots": "wal retained by replication slots; replication slots; slot retained wal",
}
TIMESCALE = {
    "Databases with TimescaleDB": "databases with timescaledb; timescaledb extension",
    "Hypertables": "number of hypertables; how many hypertables",
    "Hypertable size": "total hypertable size; size of all hypertables",
    "Compression savings": "compression savings; bytes saved by compression",
    "Failed jobs": "failed timescale jobs; timescaledb jobs failed; failed jobs; failing jobs",
    "Overdue chunks": "overdue chunks; uncompressed chunks",
    "Hypertable overview/Size": "hypertable size",
    "Hypertable overview/Chunks": "hypertable chunks",
    "Hypertable overview/Overdue chunks": "overdue chunks by hypertable",
    "Hypertable overview/Uncompressed": "hypertable size before compression; uncompressed size",
    "Hypertable overview/Compressed": "hypertable size after compression; compressed size",
    "Hypertable overview/Ratio": "compression ratio",
    "Size by hypertable": "hypertable size; size by hypertable",
    "Chunks by hypertable": "chunks by hypertable; number of chunks per hypertable; hypertable chunks",
    "Compression ratio": "compression ratio; hypertable compression ratio; how well are hypertables compressed",
    "Job overview/Last run": "last run of timescale jobs; timescale job state",
    "Job overview/Success": "last success of timescale jobs; when did the timescale job last succeed",
    "Job overview/Delay": "timescale job delay",
    "Job overview/Duration": "timescale job duration; how long do timescale jobs take",
    "Job overview/Failures": "timescale job failures total",
    "Job failures": "timescale job failures; job failures",
    "Job delay": "timescale job delay; late timescale jobs; overdue timescale jobs",
    "Continuous aggregate lag": "continuous aggregate lag; continuous aggregates behind; materialized view lag",
}
HTTP = {
    "Services up": "number of services up; how many services are up",
    "Request rate": "total request rate; total requests per second",
    "Error ratio": "total error ratio; overall error ratio",
    "Max p95 latency": "max p95 latency; worst latency",
    "Service overview/Request rate": "service request rate",
    "Service overview/Error ratio": "service error ratio",
    "Service overview/p50 latency": "service p50 latency",
    "Service overview/p95 latency": "service p95 latency",
    "Request rate by service": "request rate by service; request rate; requests per second; http requests; "
    "web traffic; http traffic; service traffic; service requests",
    "Response rate by status": "response rate by status; requests by status; responses by status; http status",
    "Error ratio by service": "error ratio by service; error ratio; error rate; 5xx ratio; 5xx responses; service "
    "errors; failed requests ratio; http errors",
    "p50 latency": "p50 latency; median latency; median response time; median request duration",
    "p95 latency": "p95 latency; latency; response time; request duration; service latency; slow service",
    "p99 latency": "p99 latency; p99 response time; p99 request duration; slow service p99",
}
PROBES = {
    "Probes that succeed": "probes that succeed; number of successful probes; how many probes succeed",
    "Failing probes": "failing probes; number of failed probes; how many probes fail",
    "Slowest probe": "slowest probe; longest probe duration",
    "Next certificate to expire": "next certificate of a probe to expire; first probed certificate to end",
    "Probe overview/Success": "probe success; does the probe succeed; is the probed site up",
    "Probe overview/Duration": "duration of each probe; how long does the probe take",
    "Probe overview/HTTP status": "http status of a probe; status code of the probed site",
    "Probe overview/Certificate": "certificate of each probe; days until the certificate of the probed site expires",
    "Success ratio by probe": "success ratio by probe; availability of the probed site; uptime of the probe",
    "Duration by probe": "probe duration over time; response time of the probed site",
}
BOARDS = {
    "fleet": FLEET,
    "hosts": HOSTS,
    "containers": CONTAINERS,
    "logs": LOGS,
    "hub": HUB,
    "postgres": POSTGRES,
    "timescale": TIMESCALE,
    "http": HTTP,
    "probes": PROBES,
    **EXPORTER_BOARDS,
}


def of_panel(board: str, title: str, name: str) -> tuple[str, ...]:
    """The phrasings of a query of a panel, of the panel if the query has none. Labels in a legend do not count."""
    table = BOARDS.get(board, {})
    own = re.sub(r"\{\{.*?\}\}", "", name).strip()
    text = table.get(f"{title}/{own}") or table.get(title, "")
    return split(text)


def split(text: str) -> tuple[str, ...]:
    """The phrasings of one entry."""
    return tuple(part.strip() for part in text.split(";") if part.strip())
