"""`python -m localcloud.cloud --name NAME --port P --state DIR --image REF`: serve one rehearsal cloud.

Prints one line with its address once it answers. The token is in DIR/token, the state in DIR/state.json.
"""

from __future__ import annotations

import argparse
import ipaddress
import signal
import sys
import threading
from pathlib import Path

from localcloud.cloud import NAME
from localcloud.cloud.api import Cloud
from localcloud.cloud.server import LOOPBACK, BadAddress, Server
from localcloud.cloud.store import InUse, Store
from localcloud.machines import MachineImage, Machines

INTERNET = "198.18.0.0/24"


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localcloud.cloud", description=f"A {NAME}, on loopback.")
    parser.add_argument("--name", required=True, help="the cloud's name, part of the names of all it makes")
    parser.add_argument("--port", required=True, type=int, help="0: any free one")
    parser.add_argument("--state", required=True, type=Path, help="the folder for its state and its token")
    parser.add_argument("--image", required=True, help="the image that droplets are made from")
    parser.add_argument("--internet", default=INTERNET, help="the range of public addresses, a /24 (%(default)s)")
    parser.add_argument("--s3", default="", help="the image of the server for Spaces; none: no Spaces")
    parser.add_argument("--database", default="", help="the image of managed databases; none: there are none")
    parser.add_argument("--purpose", default="rehearsal", help="which golden volume droplets get (%(default)s)")
    parser.add_argument("--address", default=LOOPBACK, help="%(default)s; no other is accepted")
    return parser.parse_args(argv)


def _network(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        network = ipaddress.IPv4Network("0.0.0.0/0")
    if network.prefixlen != 24:
        raise ValueError(f"--internet: expected a /24 in CIDR notation such as {INTERNET}, got {text!r}")
    return network


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; 2 if it cannot, with the reason in one sentence."""
    options = _arguments(argv)
    try:
        internet = _network(options.internet)
        store = Store(options.state)
        machines = Machines(options.name, MachineImage(options.image), str(internet), options.purpose)
        machines.spaces.image, machines.databases.image = options.s3, options.database
        cloud = Cloud(options.name, store, machines, internet)
        server = Server(cloud, options.state, options.port, options.address)
    except (BadAddress, InUse, ValueError, OSError) as problem:
        print(f"rehearsal cloud {options.name}: {problem}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        # From another thread: shutdown() waits for serve_forever(), which this signal has interrupted.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.resume()
    print(f"Rehearsal cloud {options.name} ({NAME}): {server.url}", flush=True)
    server.serve_forever()
    server.server_close()
    # Actions in progress end with the process; the next start on this state does them again.
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
