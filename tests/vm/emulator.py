"""The virtual machine's process: a separate process group with a pid file, an overlay that goes with it, loopback only.

KVM is tried first. Where it is missing, refused or boots nothing (a hypervisor may offer /dev/kvm and not run a usual
kernel in it), the processor is emulated.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from configs.render import userdata
from configs.render.dump import to_yaml
from configs.settings.fleet import Docker
from tests.integration.rig import free_ports
from tests.vm.disk import Disk
from tools.errors import ToolError
from tools.processes import end_group, run

MEMORY, CORES = 4096, 2  # MB
FIRST_LINE = 30  # seconds until the kernel must have written to the console with KVM
BOOT = {"kvm": 180, "tcg": 900}  # seconds until SSH must answer
# Emulated: room for the translated code of a dozen large programs, and page tables of four levels, which are faster.
_HARDWARE = {"kvm": ("kvm", "host"), "tcg": ("tcg,thread=multi,tb-size=1536", "max,la57=off")}
# Nothing of another tenant runs on it, and an emulated processor pays twice for what keeps tenants apart.
_KERNEL = "root=/dev/vda rw console=ttyS0 mitigations=off nowatchdog"


def seed(home: Path, name: str, public_key: str) -> Path:
    """The image from which cloud-init reads (NoCloud): the user data of a droplet as the program renders it."""
    files = home / "seed"
    files.mkdir()
    meta = {"instance-id": name, "local-hostname": "hub", "public-keys": [public_key]}
    (files / "meta-data").write_text(to_yaml(meta, "Read by cloud-init."))
    (files / "user-data").write_text(userdata.render(major=Docker().major))
    made = home / "seed.iso"
    run(["xorrisofs", "-o", str(made), "-V", "cidata", "-J", "-R", str(files)], what="seed of the virtual machine")
    return made


class Emulator:
    """`home`: the folder of the run. `images`: a file that the machine sees as /dev/disk/by-id/virtio-images."""

    def __init__(self, home: Path, disk: Disk, images: Path) -> None:
        self.home, self.disk, self.images = home, disk, images
        (self.port,) = free_ports(1)
        self.accelerator = ""
        self.refused = ""  # why KVM is not used
        self.console = home / "console.log"
        self._process: subprocess.Popen[bytes] | None = None

    def argv(self, accelerator: str) -> list[str]:
        """The command line. Nothing but the SSH port is forwarded, from this machine's loopback."""
        accel, cpu = _HARDWARE[accelerator]
        drives = (
            (self.home / "overlay.qcow2", "qcow2", "cache=unsafe,discard=unmap", "root"),
            (self.home / "seed.iso", "raw", "readonly=on", "seed"),
            (self.images, "raw", "readonly=on", "images"),
        )
        argv = ["qemu-system-x86_64", "-accel", accel, "-cpu", cpu, "-smp", str(CORES), "-m", str(MEMORY)]
        argv += ["-nodefaults", "-no-user-config", "-display", "none", "-serial", f"file:{self.console}"]
        argv += ["-pidfile", str(self.home / "pid"), "-kernel", str(self.disk.kernel), "-initrd", str(self.disk.initrd)]
        argv += ["-append", _KERNEL]
        for path, form, options, serial in drives:
            argv += ["-drive", f"file={path},format={form},if=none,id={serial},{options}"]
            argv += ["-device", f"virtio-blk-pci,drive={serial},serial={serial}"]
        argv += ["-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22"]
        return [*argv, "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]

    def boot(self, answers: Callable[[], bool]) -> None:
        """Start it; returns once SSH answers."""
        usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
        self.refused = "" if usable else "no /dev/kvm that this user may open"
        for accelerator in ("kvm", "tcg") if usable else ("tcg",):
            self.accelerator = accelerator
            self._start(accelerator)
            if not (reason := self._comes_up(accelerator, answers)):
                return
            self.stop()
            if accelerator == "kvm":
                self.refused = reason
                continue
            shown = self.console.read_text(errors="replace")[-1500:] if self.console.exists() else ""
            raise ToolError(f"The virtual machine did not boot: {reason}. The end of its console:\n{shown}")

    def _start(self, accelerator: str) -> None:
        overlay = self.home / "overlay.qcow2"
        overlay.unlink(missing_ok=True)
        base = ["-f", "qcow2", "-F", "raw", "-b", str(self.disk.image)]
        run(["qemu-img", "create", "-q", *base, str(overlay)], what="overlay of the virtual machine")
        self.console.unlink(missing_ok=True)
        with (self.home / "emulator.log").open("wb") as log:
            self._process = subprocess.Popen(
                self.argv(accelerator), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _comes_up(self, accelerator: str, answers: Callable[[], bool]) -> str:
        """Wait for SSH; why it did not come, or nothing."""
        assert self._process
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < BOOT[accelerator]:
            if self._process.poll() is not None:
                lines = (self.home / "emulator.log").read_text(errors="replace").strip().splitlines()
                return f"the emulator ended: {(lines or ['no reason given'])[-1]}"
            silent = not self.console.exists() or b"Linux version" not in self.console.read_bytes()
            if accelerator == "kvm" and silent and passed > FIRST_LINE:
                return f"with KVM the kernel wrote nothing within {FIRST_LINE} s"
            if not silent and answers():
                return ""
            time.sleep(1)
        return f"SSH did not answer within {BOOT[accelerator]} s"

    def stop(self) -> None:
        """End the process group, and remove what the machine wrote."""
        if self._process:
            end_group(self._process, 10)
            self._process = None
        (self.home / "overlay.qcow2").unlink(missing_ok=True)
