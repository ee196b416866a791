"""Node exporter of an edge: the host's own metrics."""

from __future__ import annotations

from collections.abc import Mapping

from configs import names
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.spec import MB, File, HealthCheck, ScrapeJob, Service, ServiceSpec

SERVICE = Service(
    image="node_exporter",
    licence="Apache-2.0",
    limits="node_exporter",
    memory=64 * MB,
    cpus=0.2,
    jobs=("node",),
)


def specs(context: Context) -> list[ServiceSpec]:
    """Node exporter of a host."""
    address = f"{context.gateway}:{names.NODE_EXPORTER_PORT}"
    return [
        ServiceSpec(
            role="node-exporter",
            service=SERVICE,
            limits=context.edge_limits(SERVICE),
            secrets={"web.yml": File(lambda late: web(late.scraper), needs=("scraper",))},
            command=tuple(command(context.gateway)),
            binds={"/": "/host"},
            host_network=True,  # it has to see the host's network interfaces
            health=refuses_strangers(f"http://{address}/"),
            scrape=ScrapeJob(
                name="node",
                interval=context.edge.scrape.node,
                port=names.NODE_EXPORTER_PORT,
                target=address,
                series=550,
                password=True,
            ),
        )
    ]


def refuses_strangers(url: str) -> HealthCheck:
    """Healthy means 401: it answers and demands the password, which the health check does not need to know."""
    return HealthCheck(("sh", "-c", f"wget -q -O /dev/null {url} 2>&1 | grep -q 401"))


def command(gateway: str) -> list[str]:
    """Node exporter shares the host's network to see its interfaces; it listens on the edge network's gateway alone."""
    return [
        f"--web.listen-address={gateway}:{names.NODE_EXPORTER_PORT}",
        f"--web.config.file={names.SECRETS}/web.yml",
        "--path.rootfs=/host",
        "--path.procfs=/host/proc",
        "--path.sysfs=/host/sys",
        # Docker's own mounts and interfaces come and go with every container and are cAdvisor's business. Those
        # of data elsewhere have a container's id in their path.
        "--collector.filesystem.mount-points-exclude="
        "^/(dev|proc|run|sys|var/lib/docker/.+|var/lib/containerd/.+|.+/[0-9a-f]{64})($|/)",
        "--collector.netclass.ignored-devices=^(veth.*|br-.*|docker0)$",
        "--collector.netdev.device-exclude=^(veth.*|br-.*|docker0)$",
    ]


def web(scraper: Mapping[str, str]) -> str:
    """Basic auth (bcrypt by user name): other containers and the host's own users can reach the address, only the agent
    has the password."""
    return to_yaml({"basic_auth_users": dict(sorted(scraper.items()))})
