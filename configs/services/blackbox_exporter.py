"""The blackbox exporter of an edge: the probes of the stack file, each a module of its configuration and a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs import names
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.spec import MB, RELOAD_BY_HUP, File, Network, ScrapeJob, Service, ServiceSpec, http_check

if TYPE_CHECKING:
    from configs.settings.edge import Edge
    from configs.settings.probe import Probe

SERVICE = Service(
    image="blackbox_exporter",
    licence="Apache-2.0",
    limits="blackbox_exporter",
    memory=64 * MB,
    cpus=0.2,
    jobs=("probe",),
)
CONFIG = "/etc/blackbox_exporter"
FILE = f"{CONFIG}/blackbox.yml"
TIMEOUT = 9  # seconds of a probe; a scrape may take one more


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for all probes of the host, if there are any."""
    edge = context.edge
    if not edge.probes:
        return []
    jobs = tuple(_job(context, name, probe) for name, probe in sorted(edge.probes.items()))
    return [
        ServiceSpec(
            role="blackbox-exporter",
            service=SERVICE,
            limits=context.edge_limits(SERVICE),
            config_dir=CONFIG,
            files={"blackbox.yml": File(lambda _: config(edge))},
            check=("/bin/blackbox_exporter", "--config.check", f"--config.file={FILE}"),
            reload=RELOAD_BY_HUP,
            command=(f"--config.file={FILE}", f"--web.listen-address=:{names.BLACKBOX_PORT}"),
            networks=(Network("edge"),),
            hosts=context.host_names,
            user_networks=True,
            health=http_check(f"http://127.0.0.1:{names.BLACKBOX_PORT}/-/healthy"),
            scrape=jobs[0],
            more_scrapes=jobs[1:],
        )
    ]


def config(edge: Edge) -> str:
    """blackbox.yml: a module for each probe, under its name."""
    modules = {name: _module(probe) for name, probe in sorted(edge.probes.items())}
    return to_yaml({"modules": modules}, "Blackbox exporter, rendered by fleetwatch")


def _job(context: Context, name: str, probe: Probe) -> ScrapeJob:
    return ScrapeJob(
        name="probe",
        interval=context.edge.scrape.probes,
        timeout=min(context.edge.scrape.probes, TIMEOUT + 1),
        port=names.BLACKBOX_PORT,
        series=20,
        labels={
            "__metrics_path__": "/probe",
            "__param_module": name,
            "__param_target": probe.target,
            "instance": probe.target,
            "probe": name,
        },
    )


def _module(probe: Probe) -> dict[str, Any]:
    options: dict[str, Any] = {"preferred_ip_protocol": "ip4"}
    if probe.status:
        options["valid_status_codes"] = list(probe.status)
    if probe.tls:
        options["tls"] = True
    if probe.insecure:
        options["tls_config"] = {"insecure_skip_verify": True}
    if probe.dns is not None:
        options |= {"query_name": probe.dns.name, "query_type": probe.dns.type, "valid_rcodes": ["NOERROR"]}
        options["validate_answer_rrs"] = {"fail_if_none_matches_regexp": [".+"]}
    return {"prober": probe.kind, "timeout": f"{TIMEOUT}s", probe.kind: options}
