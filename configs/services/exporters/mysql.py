"""The exporter of MySQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import names
from configs.services import exporters
from configs.services.context import Context
from configs.services.spec import MB, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings.exporter import Exporter

SERVICE = Service(
    image="mysqld_exporter", licence="Apache-2.0", limits="mysqld_exporter", memory=64 * MB, cpus=0.2, jobs=("mysql",)
)
PORT = 9104
FILE = "my.cnf"
# Nothing on the dashboard is from these; without them the account needs no right PROCESS.
NOT_COLLECTED = ("info_schema.innodb_cmp", "info_schema.innodb_cmpmem", "info_schema.query_response_time")
DOLLAR = "FLEETWATCH_DOLLAR"


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each server."""
    return [_spec(context, name, server) for name, server in exporters.entries(context, "mysql")]


def _spec(context: Context, name: str, server: Exporter) -> ServiceSpec:
    return exporters.spec(
        context,
        name,
        SERVICE,
        port=PORT,
        series=1100,  # measured: 1083 of MariaDB 10.11
        command=[
            f"--config.my-cnf={names.SECRETS}/{FILE}",
            f"--web.listen-address=:{PORT}",
            f"--web.config.file={names.SECRETS}/{exporters.WEB}",
            *(f"--no-collect.{one}" for one in NOT_COLLECTED),
        ],
        environment=[f"{DOLLAR}=$"],
        secrets={FILE: lambda: my_cnf(server)},
        # A request may name another server as its `target`, to which the exporter would send this account.
        password=True,
    )


def my_cnf(server: Exporter) -> str:
    """The whole connection. The exporter verifies a certificate by the system's CAs and the name of the host."""
    password = server.password.get_secret_value() if server.password is not None else ""
    encryption = "skip-verify" if server.insecure else "true" if server.tls else "false"
    lines = {
        "host": quoted(server.host.strip("[]")),
        "port": server.target.rpartition(":")[2],
        "user": quoted(server.user or ""),
        "password": quoted(password),
        "tls": encryption,
    }
    return "\n".join(["[client]", *(f"{key} = {value}" for key, value in lines.items())]) + "\n"


def quoted(value: str) -> str:
    """A value as the exporter's reader of ini files takes it. It reads up to the last backtick of the line and has no
    escapes, so `# ; \" \\` and backticks stand for themselves. It expands variables of the environment; a dollar sign
    is the value of one."""
    text = value.replace("$", "${" + DOLLAR + "}")
    return f"`{text}`"
