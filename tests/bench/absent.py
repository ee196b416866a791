"""Hosts that do not exist, for fleets larger than a machine can hold: a stand-in for `ssh` answers for them.

What stands in for what: the hosts (their SSH server, their Docker, their containers) are absent, as is their data at
the hub; the stack file, the program, the engine, the plugins, the state and the hub are what they are for any host. A
run that changes nothing contacts no host, so that its figures are those of a fleet of that size.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tools.paths import CHECKOUT

RANGE = "198.51.100"  # for documentation (RFC 5737): leads nowhere
MOST = 250
_SHIM = """\
#!/bin/sh
exec {python} -S -E {program} {known} "$@"
"""


def name(number: int) -> str:
    """The name of a host that does not exist."""
    return f"absent-{number}"


def entry(number: int) -> dict[str, object]:
    """Its entry in the stack file."""
    assert 0 < number <= MOST
    return {"server": {"address": f"{RANGE}.{number}", "user": "deploy"}}


@contextlib.contextmanager
def answered(folder: Path) -> Iterator[None]:
    """Within the block `ssh` answers for every host that does not exist; for all others it is the real one."""
    real = shutil.which("ssh")
    assert real, "there is no ssh on PATH"
    folder.mkdir(mode=0o700)
    known, program = folder / "known.json", folder / "ssh"
    numbers = range(1, MOST + 1)
    addresses = [f"{RANGE}.{number}" for number in numbers]
    known.write_text(json.dumps({"real": real, "addresses": addresses, "names": [name(one) for one in numbers]}))
    source = CHECKOUT / "tests" / "bench" / "ssh_standin.py"
    quoted = {"python": sys.executable, "program": str(source), "known": str(known)}
    program.write_text(_SHIM.format(**{key: shlex.quote(text) for key, text in quoted.items()}))
    program.chmod(0o755)
    with mock.patch.dict(os.environ, {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}):
        yield
