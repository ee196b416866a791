"""`python -m localcloud.machines remove NAME`: take away all that a rehearsal cloud of this name made."""

from __future__ import annotations

import argparse
import sys

from localcloud.machines import MachineError, Machines
from tools.errors import ToolError
from tools.progress import step


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m localcloud.machines", description=__doc__)
    parser.add_argument("command", choices=["remove"])
    parser.add_argument("name", help="the cloud's name, as in the label fleetwatch.cloud")
    wanted = parser.parse_args()
    try:
        with step(f"Removing the machines, networks and volumes of the cloud {wanted.name}"):
            Machines(wanted.name).remove_all()
    except (MachineError, ToolError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
