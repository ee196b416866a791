"""The exporter of MongoDB: the one of Percona, as a component of Grafana Alloy.

Percona's own program takes the password from its arguments or its environment only, where `docker inspect` shows it,
and its image has no shell. Alloy takes the same exporter's connection from its configuration, which is a secret here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from configs import names
from configs.services import exporters, log_agent
from configs.services.context import Context
from configs.services.spec import MB, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings.exporter import Exporter

SERVICE = Service(
    image="alloy", licence="Apache-2.0", limits="mongodb_exporter", memory=192 * MB, cpus=0.2, jobs=("mongodb",)
)
PORT = 9216
FILE = "config.alloy"
COMPONENT = "prometheus.exporter.mongodb"
METRICS = f"/api/v0/component/{COMPONENT}.server/metrics"
ALLOY = "473"  # the image's user alloy; its default is root


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each server."""
    return [_spec(context, name, server) for name, server in exporters.entries(context, "mongodb")]


def _spec(context: Context, name: str, server: Exporter) -> ServiceSpec:
    return exporters.spec(
        context,
        name,
        SERVICE,
        port=PORT,
        series=1500,  # 1522 of the diagnostic data that the exporter's repository has as a sample
        command=[
            "run",
            f"--server.http.listen-addr=0.0.0.0:{PORT}",
            "--server.http.disable-support-bundle",  # it contains the configuration
            "--server.http.enable-pprof=false",
            "--storage.path=/tmp/alloy",
            "--disable-reporting",
            f"{names.SECRETS}/{FILE}",
        ],
        secrets={FILE: lambda: config(server)},
        health=log_agent.bash_check("/-/ready", PORT),
        metrics=METRICS,
        user=ALLOY,
    )


def config(server: Exporter) -> str:
    """config.alloy. Only diagnostic data is read: other collectors list every database and collection."""
    lines = {
        "mongodb_uri": uri(server),
        "direct_connect": True,
        "compatible_mode": False,
        "collect_all": False,
        "enable_diagnostic_data": True,
    }
    arguments = "".join(f"\t{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())
    return f'logging {{\n\tlevel = "warn"\n}}\n\n{COMPONENT} "server" {{\n{arguments}}}\n'


def uri(server: Exporter) -> str:
    """The connection string. The account is in the database `admin`, as the role that it needs is. Alloy sets no time
    limits; with these an unreachable server is `mongodb_up 0` and not a scrape without an answer."""
    account = ""
    wait = int(exporters.PATIENCE * 1000)
    options = [f"connectTimeoutMS={wait}", f"serverSelectionTimeoutMS={wait}"]
    if server.user is not None and server.password is not None:
        account = f"{quote(server.user, safe='')}:{quote(server.password.get_secret_value(), safe='')}@"
        options.append("authSource=admin")
    if server.tls:
        options.append("tls=true")
    if server.insecure:
        options.append("tlsInsecure=true")
    return f"mongodb://{account}{server.target}/?{'&'.join(options)}"
