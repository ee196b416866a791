"""`make test-vm`: a virtual machine with Debian 13 boots the program's own user data, which installs Docker, and
becomes a hub with its edge by `make up`. Then what needs a real machine: systemd's control groups, OOM kills, CPU
throttling, the journal, a reboot; `make drift` is clean and `make down` leaves nothing.

Every step is printed with its duration. A check that fails does not keep the later ones from running; the exit code is
then 1. --page FILE writes a section of docs/figures.md. The machine is removed at the end, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from configs import services
from configs.settings import load
from tests.bench import page
from tests.fixtures import leftovers
from tests.vm import checks, disk, programs, report
from tests.vm.emulator import Emulator, seed
from tests.vm.machine import Machine, new_key, new_name, save_images
from tools import setup, ssh_program
from tools.cli import ended, heed_interrupts
from tools.errors import ToolError
from tools.paths import cache_dir
from tools.progress import say, step

# 2 is "done, with something that could be recovered from", which a host's readiness step takes too.
_FIRST_BOOT = """cloud-init status --wait > /dev/null; code=$?
[ "$code" = 0 ] || [ "$code" = 2 ] || { tail -n 40 /var/log/cloud-init-output.log; exit 1; }"""


class Failed(Exception):
    """A step that the later ones need has failed."""


class Steps:
    """Runs the steps, and remembers what became of each."""

    def __init__(self) -> None:
        self.done: list[report.Step] = []

    def __call__(self, name: str, run: Callable[[], str], needed: bool = False) -> None:
        begun = time.monotonic()
        failure = ""
        try:
            with step(name):
                note = run()
        except (AssertionError, ToolError, OSError, subprocess.SubprocessError) as error:
            failure = str(error).strip() or type(error).__name__
            note = f"FAILED: {failure.splitlines()[0][:200]}"
        say(f"  {failure or note}")
        self.done.append(report.Step(name, time.monotonic() - begun, note, not failure))
        if failure and needed:
            raise Failed(name)

    @property
    def well(self) -> bool:
        return all(one.well for one in self.done)


@contextmanager
def _run_folder(name: str) -> Iterator[Path]:
    """The folder of a run, gone with it; the next run removes what a killed one left, its emulator too."""
    for left in leftovers.sweep():
        say(f"Removed what the killed run {left} left.")
    home = cache_dir("vm", name)
    with leftovers.claimed(name, home):
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)
            leftovers.forget(name)


def _images(steps: Steps, home: Path) -> dict[str, str]:
    """The references of the images that no registry has, by key; they are in one file in `home`."""
    refs: dict[str, str] = {}

    def get() -> str:
        config = {"env": "test", "hub": {"server": {"address": "127.0.0.1", "port": 2222}}}
        keys = services.used_images(load(config, "the virtual machine"))
        chain = setup.set_up(keys)
        ssh_program.get()
        refs.update(chain.overrides)
        size = save_images(list(refs.values()), home).stat().st_size
        kinds = ", ".join(sorted({image.kind for image in chain.images}))
        return f"{len(chain.images)} images ({kinds}), {len(refs)} of them for `docker load`, {size / 1e6:.0f} MB"

    steps("tool chain and images", get, needed=True)
    return refs


def _run(steps: Steps, quick: bool) -> dict[str, str]:
    """All steps; what runs the machine."""
    facts: dict[str, str] = {}
    steps("emulator and its tools", programs.find, needed=True)
    made: list[disk.Disk] = []

    def get_disk() -> str:
        found, origin = disk.get()
        made.append(found)
        return origin

    steps("disk of the machine", get_disk, needed=True)
    name = new_name()
    with _run_folder(name) as home:
        refs = _images(steps, home)
        emulator = Emulator(home, made[0], home / "images.tar")
        machine = Machine(name, home, emulator, refs)
        try:
            _life(steps, machine, facts, quick)
        finally:
            steps("removal of the machine", partial(_removed, emulator))
    return facts


def _removed(emulator: Emulator) -> str:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C leaves nothing either
    emulator.stop()
    return "the emulator has ended, its disk is deleted"


def _life(steps: Steps, machine: Machine, facts: dict[str, str], quick: bool) -> None:
    """From the first boot to `make down`."""
    before: set[str] = set()

    def boot() -> str:
        seed(machine.home, machine.name, new_key(machine.home))
        machine.emulator.boot(machine.answers)
        facts["accelerator"] = machine.emulator.accelerator
        refused = f" ({machine.emulator.refused})" if machine.emulator.refused else ""
        return f"by {facts['accelerator']}{refused}"

    def first_boot() -> str:
        machine.run(_FIRST_BOOT, 2400)
        facts.update(checks.platform(machine))
        return ", ".join(f"{key} {value}" for key, value in facts.items() if key in ("docker", "compose", "cgroup"))

    def load_images() -> str:
        if machine.images:
            machine.run("docker load -q < /dev/disk/by-id/virtio-images", 1800)
        before.update(machine.listing())
        return "from a disk of the machine" if machine.images else "nothing to load: the machine pulls all of them"

    def up() -> str:
        machine.make("up")
        return "status and data arrived"

    steps("boot to SSH", boot, needed=True)
    steps("first boot: cloud-init, Docker by apt", first_boot, needed=True)
    steps("docker load", load_images, needed=True)
    steps("make up", up, needed=True)
    for title, check in (
        ("names of containers", checks.names),
        ("make doctor", checks.doctor),
        ("start of a writer", checks.writing),
        ("reboot", checks.reboot),
        ("CPU throttling, counted", checks.throttling_seen),
        ("out of memory, alerted", checks.out_of_memory),
        ("the journal", checks.journal),
        ("make drift", checks.drift),
        *(() if quick else (("CPU throttling, alerted", checks.throttling_alerted),)),
    ):
        steps(title, partial(check, machine))
    steps("make down", lambda: checks.down(machine, before))


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vm", description=__doc__)
    parser.add_argument("--page", type=Path, help="write the section into this file as well")
    parser.add_argument("--quick", action="store_true", help="without the 15 minutes that ContainerThrottled waits")
    options = parser.parse_args()
    heed_interrupts()
    signal.signal(signal.SIGTERM, _terminated)  # removes what was made, as Ctrl-C does
    steps, facts = Steps(), {}
    try:
        facts = _run(steps, options.quick)
    except Failed as failure:
        say(f"The remaining steps need this one: {failure}")
    except KeyboardInterrupt:
        say("Interrupted; the virtual machine is removed.")
        return 130
    text = report.section(steps.done, facts)
    say("\n" + text)
    if options.page:
        options.page.write_text(page.put(options.page.read_text() if options.page.exists() else "", text))
    return 0 if steps.well else 1


if __name__ == "__main__":
    sys.exit(ended(main))
