"""volume.sh for real, with fakes of what touches a file system."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fixtures.fake_programs import Programs

DF = "echo 'Filesystem 1024-blocks Used Available'; echo \"/dev/sda 102687672 1 2 1% $2\""


@pytest.fixture
def host(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    made.fake("mountpoint", '[ -e "$STATE/mounted" ]')
    made.fake("mount", ': > "$STATE/mounted"')
    made.fake("resize2fs")
    made.fake("df", DF)
    made.clock()
    (tmp_path / "device").write_text("")
    (tmp_path / "fstab").write_text("UUID=0123 / ext4 defaults 0 1\n")
    return made


def _run(host: Programs) -> subprocess.CompletedProcess[str]:
    return host.there(
        "volume",
        "100",
        DEVICE=str(host.folder / "device"),
        MOUNT=str(host.folder / "mnt"),
        FOLDERS="loki\nprometheus\nmy data",
        FSTAB=str(host.folder / "fstab"),
    )


def test_the_volume_is_mounted_now_and_at_every_boot(host: Programs) -> None:
    done = _run(host)
    assert (done.returncode, done.stdout) == (0, f"98 GB at {host.folder}/mnt\n"), done.stderr
    kept, entry = (host.folder / "fstab").read_text().splitlines()
    assert kept.startswith("UUID=0123"), "what stood there stays"
    device, mount, kind, options, *_ = entry.split()
    assert (device, mount, kind) == (f"{host.folder}/device", f"{host.folder}/mnt", "ext4")
    assert "nofail" in options, "a missing volume must not keep the machine from booting"
    assert "x-systemd.before=docker.service" in options, "or containers find their folders missing"
    assert host.calls("mount ") == [f"mount {host.folder}/mnt"]
    assert sorted(path.name for path in (host.folder / "mnt").iterdir()) == ["loki", "my data", "prometheus"]


def test_a_second_run_only_lets_the_file_system_grow(host: Programs) -> None:
    _run(host)
    _run(host)
    assert len((host.folder / "fstab").read_text().splitlines()) == 2, "one entry, however often"
    assert len(host.calls("mount ")) == 1
    assert host.calls("resize2fs") == [f"resize2fs {host.folder}/device"] * 2


def test_a_volume_that_does_not_appear_is_reported(host: Programs) -> None:
    (host.folder / "device").unlink()
    done = _run(host)
    assert done.returncode == 1
    assert done.stderr == f"the volume {host.folder}/device did not appear within 60 s of its attachment\n"
    assert not host.calls("mount"), "nothing may be written beside the volume"


def test_a_slow_host_does_not_extend_the_wait_for_the_volume(host: Programs) -> None:
    (host.folder / "device").unlink()
    host.fake("sleep", f"{host.clock()}tick 25")
    assert "did not appear within 75 s of its attachment" in _run(host).stderr


def test_a_volume_that_cannot_be_mounted_stops_before_any_folder(host: Programs) -> None:
    host.fake("mount", "echo 'mount: wrong fs type' >&2; exit 32")
    done = _run(host)
    assert (done.returncode, done.stderr) == (32, "mount: wrong fs type\n")
    assert not list((host.folder / "mnt").iterdir()), "data would land on the droplet's own disk"


def test_a_file_system_that_cannot_grow_says_why(host: Programs) -> None:
    host.fake("resize2fs", "echo 'resize2fs: bad magic number' >&2; exit 1")
    done = _run(host)
    assert (done.returncode, done.stderr) == (1, "resize2fs: bad magic number\n"), "once, not twice"
