"""What the log agents share: sources, mounts, and the health check of an image that has bash and no HTTP client."""

from __future__ import annotations

from collections.abc import Callable

from configs import names
from configs.log_paths import JOURNAL
from configs.render import loglines
from configs.services import wrapped
from configs.services.context import Context, passwords, pusher_networks, pushing
from configs.services.spec import HealthCheck, ScrapeJob, Service, ServiceSpec, Volume, restart_for

EVERY = 10  # seconds between two looks at what was sent
LOST = "log lines that it has not sent yet are lost once Docker has rotated them away"


def spec(
    context: Context,
    *,
    service: Service,
    config_dir: str,
    file: str,
    render: Callable[[Context], str],
    check: tuple[str, ...],
    program: str,
    command: tuple[str, ...],
    data: str,
    positions: tuple[str, ...],
    ready: str,
    series: int,
) -> ServiceSpec:
    """The log agent `service`: `render` gives its configuration `file` for the hub's URL, `data` is where it keeps its
    `positions`, patterns of files there; `ready` the path that is answered with 200 once it works."""
    role = service.image
    folders = {folder: folder for folder in loglines.folders(context.edge)}
    journal = {place: place for place in (*JOURNAL, "/etc/machine-id")} if context.edge.logs.journal else {}
    hosts = {context.hosts_file: "/etc/hosts"} if context.hub_by_address else {}
    return ServiceSpec(
        role=role,
        service=service,
        limits=context.edge_limits(service),
        config_dir=config_dir,
        files=pushing(context, file, render),
        secrets=passwords(context),
        check=check,
        # No reload: while the hub is away, Promtail first waits without an end until what it holds is sent
        # (clients/pkg/promtail/promtail.go, reloadConfig), and Alloy drops it (internal/component/loki/write/write.go,
        # Update). A restart reads it again.
        reload=restart_for(file),
        entrypoint=entrypoint(program, " ".join(f"{data}/{pattern}" for pattern in positions)),
        command=command,
        binds={context.docker_socket: names.DOCKER_SOCKET, **folders, **journal, **hosts},
        follows=(*folders, *(JOURNAL if journal else ())),
        volumes={role: Volume(data)},
        networks=pusher_networks(context),
        sysctls=context.dials,
        # root without capabilities may not read the logs of other users; with files or the journal it has to
        capabilities=("CAP_DAC_READ_SEARCH",) if folders or journal else (),
        health=bash_check(ready, names.LOG_AGENT_PORT),
        stop_timeout=10,
        scrape=ScrapeJob(name=role, interval=context.edge.scrape.agents, port=names.LOG_AGENT_PORT, series=series),
    )


def entrypoint(program: str, positions: str) -> tuple[str, ...]:
    """The log agent under a script of ours (log_agent.sh), which starts it where everything before has been sent. Needs
    bash, grep, sed and timeout, which both images have."""
    values = {"EVERY": str(EVERY), "PORT": str(names.LOG_AGENT_PORT), "POSITIONS": f"'{positions}'"}
    return wrapped.entrypoint("bash", "log_agent", values, program)


def bash_check(path: str, port: int) -> HealthCheck:
    """A GET by bash itself: the images of Promtail (Debian) and Alloy (Ubuntu) have neither wget nor curl."""
    request = f"GET {path} HTTP/1.0\\r\\n\\r\\n"
    script = (
        f"exec 3<> /dev/tcp/127.0.0.1/{port}; printf '{request}' >&3; read -r _ status _ <&3; [ \"$status\" = 200 ]"
    )
    return HealthCheck(("bash", "-c", script))
