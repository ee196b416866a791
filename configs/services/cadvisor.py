"""cAdvisor of an edge: the metrics of its containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs import names
from configs.services.context import Context
from configs.services.spec import MB, HealthCheck, Network, ScrapeJob, Service, ServiceSpec

SERVICE = Service(
    image="cadvisor",
    licence="Apache-2.0",
    limits="cadvisor",
    memory=192 * MB,
    cpus=0.3,
    jobs=("cadvisor",),
)
GRACE = 20  # seconds; its metrics have all containers from their first answer on, or a second later
_NAMES_SEEN = "/tmp/container-names-seen"


def specs(context: Context) -> list[ServiceSpec]:
    """cAdvisor of a host."""
    return [
        ServiceSpec(
            role="cadvisor",
            service=SERVICE,
            limits=context.edge_limits(SERVICE),
            entrypoint=tuple(entrypoint()),
            command=tuple(command()),
            binds={
                context.docker_socket: names.DOCKER_SOCKET,
                "/": "/rootfs",
                "/sys": "/sys",
            },
            networks=(Network("edge"),),
            health=health(),
            # The kernel's log is where cAdvisor sees that a container ran out of memory.
            devices=("/dev/kmsg",),
            capabilities=("CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SYSLOG"),
            scrape=ScrapeJob(
                name="cadvisor",
                interval=context.edge.scrape.cadvisor,
                port=names.CADVISOR_PORT,
                series=770,  # 150, and about 70 per container
                # cAdvisor stamps a sample with the time of its own last look, which two scrapes may see alike.
                honor_timestamps=False,
                metric_relabel_configs=tuple(container_labels()),
            ),
        )
    ]


def entrypoint() -> list[str]:
    """cAdvisor under a script of ours (cadvisor.sh), which finds Docker's containerd and starts cAdvisor again while it
    names no container. Needs sh, awk, grep, timeout and wget, which the vendor's image has."""
    values = {"GRACE": str(GRACE), "NAMES_SEEN": _NAMES_SEEN, "PORT": str(names.CADVISOR_PORT)}
    lines = [f"{key}={value}" for key, value in values.items()]
    return ["/bin/sh", "-c", "\n".join([*lines, (Path(__file__).parent / "cadvisor.sh").read_text()]), "cadvisor"]


def health() -> HealthCheck:
    """Healthy: it answers, and its metrics have named a container."""
    answers = f"wget -q -O /dev/null http://127.0.0.1:{names.CADVISOR_PORT}/healthz"
    return HealthCheck(("sh", "-c", f"test -e {_NAMES_SEEN} && {answers}"))


def command() -> list[str]:
    """What costs much and answers little is off (facts: section 8); labels are two of Compose's, and ours."""
    return [
        f"--port={names.CADVISOR_PORT}",
        "--docker_only=true",
        "--housekeeping_interval=10s",
        "--store_container_labels=false",
        "--whitelisted_container_labels=com.docker.compose.project,com.docker.compose.service,fleetwatch.stack",
        "--disable_metrics=advtcp,cpu_topology,cpuset,disk,hugetlb,memory_numa,percpu,perf_event,process,referenced_memory,"
        "resctrl,sched,tcp,udp",
    ]


def container_labels() -> list[dict[str, Any]]:
    """cAdvisor's labels under the names that logs use too; ids go, they are of no use and of high cardinality."""
    return [
        {"source_labels": ["name"], "target_label": "container"},
        *(
            {
                "source_labels": [f"container_label_com_docker_compose_{key}", "container_label_fleetwatch_stack"],
                "regex": names.USERS_LABEL,
                "target_label": f"compose_{key}",
            }
            for key in ("project", "service")
        ),
        {"regex": "name|image|container_label_.*", "action": "labeldrop"},
        # A container whose name cAdvisor could not read must be seen, not hidden. Docker names its control group by the
        # container's id: /docker/<id>, or /system.slice/docker-<id>.scope where systemd makes it.
        {"source_labels": ["container", "id"], "regex": ";(/.*[0-9a-f]{64}.*)", "target_label": "cgroup"},
        # Others that are no container (system.slice/...) are the node exporter's business; the root one is kept.
        {"source_labels": ["container", "cgroup", "id"], "regex": ";;/.+", "action": "drop"},
        {"regex": "id", "action": "labeldrop"},
    ]
