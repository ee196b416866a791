"""Managed databases of one rehearsal cloud: each a real PostgreSQL in a container at an address of its VPC.

It differs from the real ones: one server however many nodes are ordered, no backups, an address instead of a name, and
the extension pgvector is in every database, because its one account is no superuser and may not make it here.
"""

from __future__ import annotations

import ipaddress
import subprocess
import tempfile
import time
from pathlib import Path

from localcloud.machines import networks
from localcloud.machines.docker import LABEL, docker, put, take
from localcloud.machines.model import DatabaseSpec, MachineError

PORT = 25060
START = 60  # seconds that the server may take
_FILES = "/etc/rehearsal-database"
_OWNER = "999:999"  # PostgreSQL refuses to run as root
_SERVE = f"""set -eu
cd {_FILES}
export PGDATA=/var/lib/postgresql/data/made
if [ ! -d "$PGDATA" ]; then
  initdb --username=postgres --auth=trust --no-sync --locale=C --encoding=UTF8 >/dev/null
  cp server.key server.crt "$PGDATA"
  chmod 600 "$PGDATA/server.key"
  postgres --single -D "$PGDATA" template1 <accounts.sql >/dev/null
fi
exec postgres -D "$PGDATA" -p {PORT} -c listen_addresses='*' -c unix_socket_directories=/tmp -c ssl=on \\
  -c hba_file={_FILES}/hba/pg_hba.conf -c max_connections=25
"""


class Databases:
    """`image`: one with PostgreSQL 17 and pgvector; empty: this cloud has no managed databases."""

    def __init__(self, cloud: str, image: str = "") -> None:
        self._cloud, self.image = cloud, image

    def container(self, uuid: str) -> str:
        """The name of a database's container."""
        return f"fleetwatch-cloud-{self._cloud}-database-{uuid}"

    def create(self, spec: DatabaseSpec) -> None:
        """Make it and wait until it answers. MachineError if it does not."""
        if not self.image:
            raise MachineError("This rehearsal has no managed databases: it was started without PostgreSQL's image.")
        name = self.container(spec.uuid)
        docker(
            "create", "--name", name, "--label", f"{LABEL}={self._cloud}", "--restart", "unless-stopped",
            "--network", networks.vpc_name(self._cloud, spec.vpc), "--ip", spec.address, "--memory", "512m",
            "--user", "0:0", "--entrypoint", "/bin/sh", self.image, "-c",
            f"chown -R {_OWNER} /var/lib/postgresql/data && "
            f"exec /usr/sbin/chroot --userspec={_OWNER} / sh {_FILES}/serve.sh",
        )  # fmt: skip
        try:
            put(name, {f"{_FILES}/{file}": text for file, text in _files(spec).items()})
            docker("start", name)
            self._await(spec.uuid)
        except BaseException:
            self.delete(spec.uuid)
            raise

    def delete(self, uuid: str) -> None:
        """Remove it with its data; nothing happens if there is none."""
        docker("rm", "-f", "-v", self.container(uuid))

    def ca(self, uuid: str) -> str:
        """The certificate that has signed the server's, as PEM."""
        return take(self.container(uuid), f"{_FILES}/ca.crt")

    def run(self, uuid: str, statement: str) -> None:
        """One statement of the superuser, which only this machine can be. Raises MachineError."""
        docker(
            "exec", "-i", "--user", _OWNER, self.container(uuid), "psql", "-q", "-v", "ON_ERROR_STOP=1",
            "-h", "/tmp", "-p", str(PORT), "-U", "postgres", "postgres", stdin=statement.encode(),
        )  # fmt: skip

    def sources(self, uuid: str, addresses: tuple[str, ...] | None) -> None:
        """Let in these addresses alone; None: every one of the VPC."""
        put(self.container(uuid), {f"{_FILES}/hba/pg_hba.conf": hba(addresses)})
        self.run(uuid, "SELECT pg_reload_conf();")

    def _await(self, uuid: str) -> None:
        end = time.monotonic() + START
        while True:
            try:
                self.run(uuid, "SELECT 1;")
                return
            except MachineError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.5)


def hba(addresses: tuple[str, ...] | None) -> str:
    """pg_hba.conf: every connection from outside by TLS and a password."""
    allowed = ("samenet",) if addresses is None else tuple(str(ipaddress.ip_network(one)) for one in addresses)
    return "".join(["local all all trust\n", *(f"hostssl all all {one} scram-sha-256\n" for one in allowed)])


def _files(spec: DatabaseSpec) -> dict[str, str]:
    # Each statement of a single-user server is a line.
    accounts = [
        "CREATE EXTENSION vector;",
        f"CREATE ROLE {spec.user} LOGIN CREATEDB CREATEROLE PASSWORD '{spec.password}';",
        f"CREATE DATABASE defaultdb OWNER {spec.user};",
    ]
    return {
        "serve.sh": _SERVE,
        "accounts.sql": "\n".join(accounts) + "\n",
        "hba/pg_hba.conf": hba(None),
        **_certificates(spec.address),
    }


def _certificates(address: str) -> dict[str, str]:
    """A separate authority, and a certificate by it for this address."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "san").write_text(f"subjectAltName=IP:{address}\n")
        _openssl(folder, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 365 -subj /CN=Rehearsal")
        _openssl(folder, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=database")
        _openssl(
            folder,
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 365 -extfile san",
        )
        return {file: (folder / file).read_text() for file in ("ca.crt", "server.crt", "server.key")}


def _openssl(folder: Path, words: str) -> None:
    try:
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        raise MachineError("The program `openssl` is missing: a rehearsal's database needs a certificate.") from None
    except subprocess.CalledProcessError as error:
        raise MachineError(f"`openssl` failed: {error.stderr.decode(errors='replace').strip()}") from None


class HasDatabases:
    """What the API calls of a cloud with managed databases."""

    databases: Databases

    def create_database(self, spec: DatabaseSpec) -> None:
        """Make a server and wait until it answers."""
        self.databases.create(spec)

    def delete_database(self, uuid: str) -> None:
        """Remove it with its data."""
        self.databases.delete(uuid)

    def database_ca(self, uuid: str) -> str:
        """The certificate of its authority."""
        return self.databases.ca(uuid)

    def database_run(self, uuid: str, statement: str) -> None:
        """A statement of the superuser."""
        self.databases.run(uuid, statement)

    def database_sources(self, uuid: str, addresses: tuple[str, ...] | None) -> None:
        """Let in these addresses alone; None: every one of the VPC."""
        self.databases.sources(uuid, addresses)
