"""cAdvisor of an edge: the metrics of its containers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from configs import names
from configs.services import wrapped
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
            entrypoint=entrypoint(),
            command=tuple(command(context.edge.service_labels)),
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
                metric_relabel_configs=tuple(container_labels(context.edge.service_labels)),
            ),
        )
    ]


def entrypoint() -> tuple[str, ...]:
    """cAdvisor under a script of ours (cadvisor.sh), which finds Docker's containerd and starts cAdvisor again while it
    names no container. Needs sh, awk, grep, timeout and wget, which the vendor's image has."""
    values = {"GRACE": str(GRACE), "NAMES_SEEN": _NAMES_SEEN, "PORT": str(names.CADVISOR_PORT)}
    return wrapped.entrypoint("/bin/sh", "cadvisor", values)


def health() -> HealthCheck:
    """Healthy: it answers, and its metrics have named a container."""
    answers = f"wget -q -O /dev/null http://127.0.0.1:{names.CADVISOR_PORT}/healthz"
    return HealthCheck(("sh", "-c", f"test -e {_NAMES_SEEN} && {answers}"))


def command(service_labels: Sequence[Sequence[str]]) -> list[str]:
    """What costs much and answers little is off (facts: section 8); labels are two of Compose's, ours, and those that
    make a service elsewhere."""
    services = [label for labels in service_labels for label in labels]
    labels = dict.fromkeys(["com.docker.compose.project", "com.docker.compose.service", "fleetwatch.stack", *services])
    return [
        f"--port={names.CADVISOR_PORT}",
        "--docker_only=true",
        "--housekeeping_interval=10s",
        "--store_container_labels=false",
        f"--whitelisted_container_labels={','.join(labels)}",
        "--disable_metrics=advtcp,cpu_topology,cpuset,disk,hugetlb,memory_numa,percpu,perf_event,process,referenced_memory,"
        "resctrl,sched,tcp,udp",
    ]


def service_label(labels: Sequence[str]) -> dict[str, Any]:
    """The step that sets `service` from the first of these labels, which a container must have, and from the others.
    It skips Compose's services, which have two labels already."""
    sources = [f"container_label_{re.sub('[^a-zA-Z0-9_]', '_', label)}" for label in labels]
    optional = len(labels) - 1
    return {
        "source_labels": [*sources, "container_label_com_docker_compose_service", "container_label_fleetwatch_stack"],
        "regex": "(.+)" + ";(.*)" * optional + ";;",
        "target_label": "service",
        "replacement": "/".join(f"${number}" for number in range(1, len(labels) + 1)),
    }


def container_labels(service_labels: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
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
        *(service_label(labels) for labels in reversed(service_labels)),  # the first that a container has is the last
        {"source_labels": ["service"], "regex": "(.+?)/+", "target_label": "service", "replacement": "$1"},
        {"regex": "name|image|container_label_.*", "action": "labeldrop"},
        # A container whose name cAdvisor could not read must be seen, not hidden. Docker names its control group by the
        # container's id: /docker/<id>, or /system.slice/docker-<id>.scope where systemd makes it.
        {"source_labels": ["container", "id"], "regex": ";(/.*[0-9a-f]{64}.*)", "target_label": "cgroup"},
        # Others that are no container (system.slice/...) are the node exporter's business; the root one is kept.
        {"source_labels": ["container", "cgroup", "id"], "regex": ";;/.+", "action": "drop"},
        {"regex": "id", "action": "labeldrop"},
    ]
