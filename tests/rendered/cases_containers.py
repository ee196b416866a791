"""When the alerts about containers and attached disks fire, in which words, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

UP = {'up{job="cadvisor",env="test",host="hub"}': "1x4000"}
DB = '{job="cadvisor",env="test",host="hub",container="shop-db",compose_project="shop",compose_service="db"}'
API = '{job="cadvisor",env="test",host="hub",container="api",compose_project="",compose_service=""}'
OTHER = DB.replace("shop-db", "shop-db-2")
OLD = '{job="cadvisor",env="test",host="hub",container="shop-web-1a2b",service="shop/web"}'
NEW = OLD.replace("1a2b", "9f8e")
WORKER = '{job="cadvisor",env="test",host="hub",container="shop-worker-9f8e",service="shop/worker"}'
CADVISOR = {'container_last_seen{job="cadvisor",env="test",host="hub",container="fleetwatch-cadvisor"}': "0+15x4000"}
NAMELESS = 'container_last_seen{job="cadvisor",env="test",host="hub",cgroup="/docker/1"}'
SHOP = {"container": "shop-db", "compose_project": "shop", "compose_service": "db"}
KEPT = {"job": "cadvisor"}
ROOT = '{job="node",env="test",host="hub",device="/dev/vda1",fstype="ext4",mountpoint="/"}'
DATA = '{job="node",env="test",host="hub",device="/dev/sda",fstype="ext4",mountpoint="/mnt/data"}'
BOUND = ROOT.replace('mountpoint="/"', 'mountpoint="/var/lib/docker"')


def ran(of: str, minutes: int, before: int = 0, then: str = " stale") -> dict[str, str]:
    """Seen for so long, after it had run for some minutes that nobody saw; `then` is what comes after."""
    seen = minutes * 4
    return {
        f"container_last_seen{of}": f"0+15x{seen}{then}",
        f"container_start_time_seconds{of}": f"-{before * 60}x{seen}{then}",
    }


def _filesystem(of: str, free: int, size: int = 100) -> dict[str, str]:
    return {f"node_filesystem_avail_bytes{of}": f"{free}x400", f"node_filesystem_size_bytes{of}": f"{size}x400"}


def _kills(values: str, start: str = "0x400") -> dict[str, str]:
    return {f"container_oom_events_total{DB}": values, f"container_start_time_seconds{DB}": start}


def _memory(used: int, limit: int) -> dict[str, str]:
    return {
        f"container_memory_working_set_bytes{DB}": f"{used}x400",
        f"container_spec_memory_limit_bytes{DB}": f"{limit}x400",
    }


def _periods(each: float, slowed: float) -> dict[str, str]:
    """So many periods in 15 seconds, of which so many were slowed."""
    return {
        f"container_cpu_cfs_periods_total{DB}": f"0+{each}x400",
        f"container_cpu_cfs_throttled_periods_total{DB}": f"0+{slowed}x400",
    }


GONE = "Container shop-db on hub disappeared after running for 20m 0s"
GONE_CASES = [
    Case(
        alert="ContainerDown",
        when="one that ran for a while is gone",
        series={**UP, **ran(DB, 20)},
        at="25m",
        fires=[fired(GONE, **SHOP)],
    ),
    Case(
        alert="ContainerDown",
        when="one without compose is gone although another one without compose runs",
        series={**UP, **ran(API, 20), **ran(API.replace("api", "web"), 200)},
        at="25m",
        fires=[fired("Container api on hub disappeared after running for 20m 0s", container="api")],
    ),
    Case(
        alert="ContainerDown",
        when="the last one of two of a service is gone too",
        series={**UP, **ran(DB, 20), **ran(OTHER, 30)},
        at="35m",
        fires=[
            fired(GONE, **SHOP),
            fired(GONE.replace("shop-db", "shop-db-2").replace("20m", "30m"), **{**SHOP, "container": "shop-db-2"}),
        ],
    ),
    Case(
        alert="ContainerDown",
        when="a deploy replaced it by one of another name and the same service",
        series={**UP, **ran(OLD, 20), **ran(NEW, 300)},
        at="40m",
    ),
    Case(
        alert="ContainerDown",
        when="a deploy replaced it by nothing although another service of the same deploy runs",
        series={**UP, **ran(OLD, 20), **ran(WORKER, 300), **ran(API, 300)},
        at="25m",
        fires=[
            fired(
                "Container shop-web-1a2b on hub disappeared after running for 20m 0s",
                container="shop-web-1a2b",
                service="shop/web",
            )
        ],
    ),
    Case(alert="ContainerDown", when="it runs", series={**UP, **ran(DB, 60)}, at="50m"),
    Case(alert="ContainerDown", when="it was a short job", series={**UP, **ran(DB, 8)}, at="25m"),
    Case(
        alert="ContainerDown",
        when="an old one was only seen for a moment",
        series={**UP, **ran(DB, 5, before=600)},
        at="25m",
    ),
    Case(
        alert="ContainerDown",
        when="another one of its compose service took its place",
        series={**UP, **ran(DB, 20), **ran(OTHER, 200)},
        at="40m",
    ),
    Case(
        alert="ContainerDown",
        when="it is back under its name",
        series={**UP, **ran(DB, 20, then=" _x12 1400+15x200")},
        at="40m",
    ),
    Case(
        alert="ContainerDown",
        when="cAdvisor is away",
        series={'up{job="cadvisor",env="test",host="hub"}': "1x80 0x200", **ran(DB, 20)},
        at="40m",
    ),
]
CASES = [
    Case(
        alert="ContainerRestarts",
        when="it begins anew every minute or two",
        series={f"container_start_time_seconds{DB}": "0x4 60x4 stale 180x4 300x40"},
        at="8m",
        fires=[fired("Container shop-db on hub restarted 3 times in 15 minutes", **SHOP, **KEPT)],
    ),
    Case(
        alert="ContainerRestarts",
        when="it was replaced twice",
        series={f"container_start_time_seconds{DB}": "0x4 60x4 180x40"},
        at="8m",
    ),
    Case(
        alert="ContainerOutOfMemory",
        when="a process in it was killed",
        series=_kills("0x40 1x100"),
        at="12m",
        fires=[fired("Container shop-db on hub ran out of memory: 1 OOM kills in 15 minutes", **SHOP, **KEPT)],
    ),
    Case(
        alert="ContainerOutOfMemory",
        when="it was killed before it was first seen",
        series=_kills("_x40 2x40", "_x40 600x40"),
        at="12m",
        fires=[fired("Container shop-db on hub ran out of memory: 2 OOM kills in 15 minutes", **SHOP, **KEPT)],
    ),
    Case(alert="ContainerOutOfMemory", when="that was long ago", series=_kills("0x20 3x300"), at="40m"),
    Case(
        alert="ContainerOutOfMemory",
        when="an old count comes back after an outage",
        series=_kills("3x20 _x100 3x100"),
        at="35m",
    ),
    Case(
        alert="ContainerMemoryNearLimit",
        when="it is nearly full",
        series=_memory(95, 100),
        at="20m",
        fires=[fired("Container shop-db on hub uses 95% of its memory limit", **SHOP, **KEPT)],
    ),
    Case(alert="ContainerMemoryNearLimit", when="half is free", series=_memory(50, 100), at="20m"),
    Case(alert="ContainerMemoryNearLimit", when="it has no limit", series=_memory(95, 0), at="20m"),
    Case(
        alert="ContainerThrottled",
        when="it is slowed in half of its time",
        series=_periods(100, 50),
        at="30m",
        fires=[
            fired(
                "Container shop-db on hub is throttled by its CPU limit in 50% of its CPU periods",
                **SHOP,
                **KEPT,
            )
        ],
    ),
    Case(alert="ContainerThrottled", when="seldom", series=_periods(100, 10), at="30m"),
    Case(alert="ContainerThrottled", when="it only wakes up now and then", series=_periods(5, 4), at="30m"),
    Case(
        alert="VolumeFull",
        when="an attached disk is nearly full",
        series={**_filesystem(ROOT, 50), **_filesystem(DATA, 5)},
        at="10m",
        fires=[
            fired(
                "Volume /mnt/data on hub is 95% full",
                job="node",
                device="/dev/sda",
                fstype="ext4",
                mountpoint="/mnt/data",
            )
        ],
    ),  # fmt: skip
    Case(alert="VolumeFull", when="half is free", series={**_filesystem(ROOT, 50), **_filesystem(DATA, 50)}),
    Case(
        alert="VolumeFull",
        when="the system's own disk is full, also under another folder",
        series={**_filesystem(ROOT, 5), **_filesystem(BOUND, 5)},
    ),
    Case(
        alert="ContainerWithoutName",
        when="a group of a container has no name",
        series={**UP, **CADVISOR, NAMELESS: "1x400"},
        at="20m",
        fires=[fired("cAdvisor on hub does not identify containers")],
    ),
    Case(
        alert="ContainerWithoutName",
        when="there is not one container with a name",
        series={**UP, 'container_last_seen{job="cadvisor",env="test",host="hub"}': "1x400"},
        at="20m",
        fires=[fired("cAdvisor on hub does not identify containers")],
    ),
    Case(alert="ContainerWithoutName", when="all have names", series={**UP, **CADVISOR}, at="20m"),
]
EXPECTED = [
    Case(
        alert="ContainerDown",
        when="an expected one never came, at once and only once",
        series=UP,
        at="1m",
        fires=[fired("Container shop-db on hub is not running", container="shop-db", job="cadvisor")],
    ),
    Case(
        alert="ContainerDown",
        when="an expected one that ran for long stopped, and only once",
        series={**UP, **ran(DB, 20)},
        at="25m",
        fires=[fired("Container shop-db on hub is not running", container="shop-db", job="cadvisor")],
    ),
    Case(alert="ContainerDown", when="the expected one runs", series={**UP, **ran(DB, 60)}, at="50m"),
    Case(alert="ContainerDown", when="nobody looks whether the expected one runs", series={}, at="10m"),
]
