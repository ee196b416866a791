"""`make bench`: measures and prints one section of docs/figures.md for each part: `local`, a stack on this machine;
`program`, the program alone; `fleet`, the fleet of `make rehearse`; `hosts`, ten, fifty and a hundred hosts, with
Ansible beside them; `rules`, rules and dashboards of ten hosts; `ask`, the assistant over a hundred hosts; `discovery`,
what it reads of 400,000 series; `growth`, a hub with its data on its disk and in a bucket; `nodes`, one of three nodes.

Aims are shown, not enforced: a busy machine is no error. --page FILE puts the sections into that page, in the place of
those with the same title. Everything that is made is removed at the end, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench import assistant, discovery, fleet, growth, growth_nodes, hosts, local, page, program, rules
from tools import docker_engine, images, setup
from tools.cli import ended, heed_interrupts
from tools.progress import say

PARTS = ("local", "program", "fleet", "hosts", "rules", "ask", "discovery", "growth", "nodes")


def _measured(part: str) -> tuple[str, dict[str, object]]:
    """(the section, its raw figures) of one part."""
    watch = page.Watch()
    if part == "local":
        run = local.measured(watch)
        return page.render(local.TITLE, _kinds(), watch, run.figures, run.tables), run.raw
    if part == "program":
        sizes = program.measured()
        watch.look()
        raw: dict[str, object] = {str(size.hosts): size.runs.seconds for size in sizes}
        return page.render(program.TITLE, "none: resources are only registered", watch, program.figures(sizes)), raw
    if part == "rules":
        cost = rules.measured(watch)
        return page.render(rules.TITLE, _kinds(), watch, cost.figures), cost.raw
    if part == "ask":
        answers = assistant.measured(watch)
        return page.render(assistant.TITLE, assistant.PLAYED, watch, answers.figures, answers.tables), answers.raw
    if part == "discovery":
        read = discovery.measured(watch)
        return page.render(discovery.TITLE, discovery.PLAYED, watch, read.figures), read.raw
    if part == "growth":
        grown = growth.measured(watch)
        return page.render(growth.TITLE, _kinds(), watch, grown.figures, grown.tables), grown.raw
    if part == "nodes":
        grown = growth_nodes.measured(watch)
        return page.render(growth_nodes.TITLE, _kinds(), watch, grown.figures, grown.tables), grown.raw
    made = (fleet if part == "fleet" else hosts).measured(watch)
    return page.render(made.title, _kinds(), watch, made.figures, made.tables), made.raw


def _kinds() -> str:
    """Where the images of the vendors come from on this machine."""
    chain = setup.set_up(images.PARTS)
    return ", ".join(sorted({image.kind for image in chain.images}))


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _measure(parts: Sequence[str], file: Path | None, as_json: bool) -> None:
    docker_engine.find()  # every section names its version, and the containers that run beside
    raw = {}
    for part in parts:
        text, raw[part] = _measured(part)
        say("\n" + text)
        if file:
            file.write_text(page.put(file.read_text() if file.exists() else "", text))
    if as_json:
        say(json.dumps(raw, indent=2))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "all"], default="all", help="those alone")
    parser.add_argument("--json", action="store_true", help="print the raw figures as JSON after the sections")
    parser.add_argument("--page", type=Path, help="write the sections into this file as well")
    options = parser.parse_args()
    heed_interrupts()  # a bench in the background would measure how long plugins are waited for
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each command would compile the program again
    signal.signal(signal.SIGTERM, _terminated)  # removes what was made, as Ctrl-C does
    parts = PARTS if "all" in options.parts else options.parts
    return ended(lambda: _measure(parts, options.page, options.json), "interrupted; what was made is removed.")


if __name__ == "__main__":
    sys.exit(main())
