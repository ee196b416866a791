"""`make tunnel`: the hub's query pages on this machine's loopback."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from tools.cli import Commands, port
from tools.progress import say
from tools.remote_access import hub_hosts, query_address
from tools.stack_factory import open_stack
from tools.unknown_name import unknown


def register(commands: Commands) -> None:
    parser = commands.add("tunnel", _tunnel, "the query pages of the hub on this machine's loopback, until Ctrl-C")
    parser.add_argument("host", nargs="?", default="", help="a node of a cluster; by default the first that answers")
    parser.add_argument("--port", type=port, default=0, help="a free one by default")


def _tunnel(options: argparse.Namespace) -> None:
    hold_tunnel(open_stack(options).outputs(), options.host, options.port)


def hold_tunnel(outputs: Mapping[str, Any], host: str, port: int) -> None:
    """Keep a tunnel open until Ctrl-C and print the addresses."""
    if host and host not in hub_hosts(outputs):
        raise unknown("HOST", host, "a host of the hub, no other has query pages", hub_hosts(outputs))
    with query_address(outputs, port, host) as base:
        say(f"Prometheus    {base}\nAlertmanager  {base}/alertmanager/\nLoki          {base}/loki/api/v1/labels")
        say("Open until Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
