"""The shell scripts that run on a host, with their parameters set in front. Free of Pulumi; POSIX sh, Docker and awk.

Parameters are paths, names and checks; contents and secrets come in on stdin only.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from configs import engines
from configs.images import LOCAL

COMPOSE = "2.24.1"  # the oldest Docker Compose on a host; 2.24.0 recreated every container (docker/compose#11335)
COMPOSE_TESTED = "5"  # the newest major version that was tried; a newer one is reported and used
COMPARES = "COMPARES"  # a variable of commands whose script knows ACTION=drift: the name of the host that it is about
_HERE = Path(__file__).parent


def script(name: str, **parameters: str) -> str:
    """`<name>.sh` with `parameters` as shell variables in front of it."""
    lines = [f"{key}={shlex.quote(value)}" for key, value in sorted(parameters.items())]
    return "\n".join([*lines, (_HERE / f"{name}.sh").read_text()])


def docker_packages(major: int) -> str:
    """The script that installs Docker Engine of this major version, and Compose, where they are missing."""
    return script("docker_packages", COMPOSE=COMPOSE, MAJOR=str(major))


def engine(images: Iterable[str] = (), machine: str = "") -> str:
    """The functions about a Docker Engine that runs these images. `machine`: the processor of the machine that runs the
    program, by the kernel's name; it made the images that no registry has."""
    return script(
        "engine",
        KNOWN_BAD=engines.table(),
        PLATFORMS=" ".join(engines.PLATFORMS),
        LOCAL_IMAGES="\n".join(local := sorted({image for image in images if image.startswith(LOCAL)})),
        MADE_FOR=engines.platform(machine) if local else "",
    )


def on_stdin(text: str) -> str:
    """The short command that runs a script whose text comes first on stdin; what follows is the script's own input.

    Short, because Pulumi shows a failed command whole; on stdin, because a command line has a limit. Over SSH an
    account's login shell reads it, which may be fish, zsh or tcsh: to all of them this is one quoted argument.
    """
    return f"exec sh -c 'script=$(head -c {len(text.encode())}) && eval \"$script\"'"


def fed(variables: Sequence[str] = ()) -> str:
    """The shell that writes the script in $SCRIPT, what these variables hold and then its own stdin, for `on_stdin`.

    What is not secret travels in the environment, where a preview shows how it changes; secrets come in on stdin.
    """
    return "{ printf '%s' " + " ".join(f'"${name}"' for name in ("SCRIPT", *variables)) + "; cat; }"


def bundle(files: Mapping[str, str], *, whole: bool = True) -> str:
    """Files as one text for stdin of `files.sh` and `project.sh`, by name, so that a diff of it reads well. `whole`: it
    ends here; otherwise another bundle follows."""
    parts = []
    for name, text in sorted(files.items()):
        if any(line.startswith("==> ") and line.endswith(" <==") for line in text.splitlines()):
            raise ValueError(f"{name}: a line of the form '==> ... <==' cannot be deployed")
        parts.append(f"==> {name} <==\n{text.rstrip(chr(10))}\n")
    return "".join([*parts, "==> . <==\n"] if whole else parts)


def numbered(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A table as shell variables: `NUMBERS`, and of the row n each column as `<COLUMN>_<n>`."""
    made = {f"{column}_{n}": value for n, row in enumerate(rows, 1) for column, value in row.items()}
    return {"NUMBERS": " ".join(str(n) for n in range(1, len(rows) + 1)), **made}
