"""`python -m localcloud.standins.plugins NAME ENGINE`: one stand-in, as the Pulumi engine starts a plugin.

NAME is docker, command, random or digitalocean. It prints the port it serves on. The version it gives is that of the
SDK it stands beside, so that the engine does not complain about an old plugin.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from localcloud.standins.plugins.provider import TableProvider
from localcloud.standins.plugins.server import serve

NAMES = ("docker", "command", "random", "digitalocean")


def main(args: list[str]) -> int:
    if not args or args[0] not in NAMES:
        print(
            f"stand-in plugins: expected one of {', '.join(NAMES)}, got {args[0] if args else 'nothing'}",
            file=sys.stderr,
        )
        return 2
    name = args[0]
    try:
        sdk = version(f"pulumi-{name}")
    except PackageNotFoundError:
        sdk = "0.0.0"
    module = import_module(f"localcloud.standins.plugins.{name}")
    serve(name, sdk, lambda log, first: TableProvider(module.package(log), log, first), args[1:])
    return 0


sys.exit(main(sys.argv[1:]))
