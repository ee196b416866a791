"""Machines of a rehearsal cloud, with real containers: boot, Docker, packets, volumes, addresses, power, removal.

One cloud of three machines, shared by the tests in their order; each says what it needs of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.machines import MachineError, Rule
from localcloud.machines.docker import LABEL, docker
from tests.fixtures.leftovers import claimed
from tests.machines.world import NET, PURPOSE, USER_DATA, World, answers, soon
from tools import images, rehearsal
from tools.builds import BUILDS
from tools.droplet_recipe import COMPOSE

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("machines")]

WEB, DB, SERVER, RESERVED = f"{NET}.20", f"{NET}.21", f"{NET}.150", f"{NET}.200"
EVERYBODY = ("0.0.0.0/0",)
SSH = Rule("tcp", (22, 22), EVERYBODY)
OUT = tuple(Rule(protocol, None, EVERYBODY) for protocol in ("tcp", "udp", "icmp"))
DISK = "/dev/disk/by-id/scsi-0DO_Volume_data"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ref = images.get(["node_exporter", "droplet"])[0].ref
    rehearsal.golden([ref], PURPOSE)
    home = tmp_path_factory.mktemp("machines")
    made = World(home, ref)
    with claimed(made.name, home):
        try:
            made.machines.create_vpc("vpc", f"{made.range}.0/24")
            made.droplet(1, WEB, USER_DATA)
            made.droplet(2, DB)
            made.machines.create_server("private", f"{made.range}.99", "deploy", made.public, vpc="vpc")
            yield made
        finally:
            made.machines.remove_all()


def test_sshd_answers_before_the_first_boot_is_done(world: World) -> None:
    status = soon("SSH", lambda: world.ssh(WEB, "cloud-init status || true"))
    assert "running" in str(status), "the user data waits; whoever connects now must have to wait for cloud-init"
    world.ssh(WEB, "touch /srv/go")
    assert "status: done" in world.ssh(WEB, "cloud-init status --wait")


def test_user_data_was_run_once_and_nothing_failed(world: World) -> None:
    assert world.ssh(WEB, "cat /srv/firsts /srv/boots").split() == ["first", "boot"]
    assert '"errors": []' in world.ssh(WEB, "cat /run/cloud-init/result.json")
    assert "Invalid" not in world.ssh(WEB, "cat /var/log/cloud-init-output.log /run/rehearsal/boot.log")


def test_each_machine_is_one_of_its_own(world: World) -> None:
    what = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; docker info -f '{{.ID}}'"
    soon("the second droplet", lambda: world.ssh(DB, what))
    one, other = (set(world.ssh(address, what).splitlines()) for address in (WEB, DB))
    assert len(one) == 3
    assert not one & other, "made from the same image, they must not share what names a machine"


def test_the_public_address_is_on_eth0_and_the_private_one_on_eth1(world: World) -> None:
    shown = world.ssh(WEB, "ip -br -4 addr show eth0; ip -br -4 addr show eth1; ip route show default")
    public, private, route = shown.splitlines()
    assert f" {WEB}/24" in public
    assert f" {world.range}.5/24" in private
    assert "dev eth0" in route


def test_services_are_restarted_as_on_debian(world: World) -> None:
    world.ssh(WEB, "service ssh reload && service docker restart && dpkg-query -W docker.io && apt-mark hold docker.io")
    soon("Docker after its restart", lambda: world.ssh(WEB, "docker version -f '{{.Server.Version}}'"))


def test_compose_is_there_for_every_user(world: World) -> None:
    shown = world.ssh(WEB, "su -s /bin/sh nobody -c 'docker compose version --short'")
    assert shown == BUILDS["docker-compose"].version.removeprefix("v")


def test_docker_in_a_droplet_runs_what_the_golden_volume_holds(world: World) -> None:
    world.ssh(WEB, f"docker run -d --restart unless-stopped --name exporter -p 8080:9100 {world.ref}")
    soon("the published port", lambda: answers(WEB, 8080))


def test_the_containers_of_a_droplet_count_against_its_memory(world: World) -> None:
    limit = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2> /dev/null"
    assert world.ssh(WEB, limit + "; true") == str(1024**3)
    inner = world.ssh(WEB, "docker inspect -f '{{.Id}}' exporter")
    groups = f"ls -d /sys/fs/cgroup/docker/{inner} /sys/fs/cgroup/memory/docker/{inner} 2> /dev/null; true"
    assert inner in world.ssh(WEB, groups), "its group must be below the droplet's, where the limit is"


def test_a_private_address_is_reached_from_the_vpc_and_not_from_here(world: World) -> None:
    private = f"{world.range}.5"
    assert not answers(private, 8080), "no runner is in a VPC; what passes here would fail with a real one"
    assert world.ssh(DB, f"curl -s -m 5 http://{private}:8080/metrics | head -c 6") == "# HELP"


def test_a_server_with_a_private_address_alone_is_reached_through_a_droplet(world: World) -> None:
    address = f"{world.range}.99"
    with pytest.raises(OSError, match="timed out"):
        world.ssh(address, "true", "deploy")
    said = soon(
        "Docker on the server",
        lambda: world.ssh(address, "sudo -n id -u && docker info -f '{{.Name}}'", "deploy", through=WEB),
    )
    assert str(said).split() == ["0", "private"]
    with pytest.raises(OSError, match=r".*"):
        world.ssh(address, "command -v cloud-init", "deploy", through=WEB)


def test_a_firewall_closes_everything_that_no_rule_opens(world: World) -> None:
    world.machines.firewall(1, (SSH,), OUT)
    assert not answers(WEB, 8080), "a port published by the droplet's Docker is behind the firewall too"
    with pytest.raises(OSError, match=r".*"):
        world.ssh(DB, f"curl -s -m 2 http://{world.range}.5:8080/")
    assert world.ssh(WEB, "echo open") == "open"


def test_a_changed_rule_opens_a_published_port_to_those_it_names(world: World) -> None:
    peers = (f"{world.range}.6/32",)
    world.machines.firewall(1, (SSH, Rule("tcp", (8000, 8100), peers)), OUT)
    assert not answers(WEB, 8080)
    assert world.ssh(DB, f"curl -s -m 5 http://{world.range}.5:8080/metrics | head -c 6") == "# HELP"
    world.machines.firewall(1, (SSH, Rule("tcp", (8080, 8080), (f"{NET}.1/32",))), OUT)
    assert answers(WEB, 8080)


def test_what_goes_out_is_closed_as_well(world: World) -> None:
    fetch = f"curl -s -m 2 http://{world.range}.5:8080/metrics | head -c 6"
    world.machines.firewall(1, None, None)
    world.machines.firewall(2, (SSH,), (Rule("tcp", (443, 443), EVERYBODY),))
    assert world.ssh(DB, fetch + " || true") == ""
    world.machines.firewall(2, None, None)
    assert world.ssh(DB, fetch) == "# HELP"


def test_a_volume_appears_by_its_name_and_grows_while_it_is_mounted(world: World) -> None:
    world.machines.create_volume("vol", "data", 1, "ext4")
    world.machines.attach_volume("vol", 1)
    world.ssh(WEB, f"echo '{DISK} /mnt/data ext4 defaults,nofail,discard,noatime 0 2' >> /etc/fstab; mkdir /mnt/data")
    world.ssh(WEB, "mount /mnt/data && echo precious > /mnt/data/file")
    world.machines.grow_volume("vol", 3)
    assert world.ssh(WEB, f"blockdev --getsize64 {DISK}") == str(3 * 1024**3)
    said = world.ssh(WEB, f"resize2fs {DISK}; df -BM --output=size /mnt/data | tail -1; cat /mnt/data/file")
    size, content = said.splitlines()[-2:]
    assert int(size.strip(" M")) > 2800
    assert content == "precious"
    assert "Nothing to do" in world.ssh(WEB, f"resize2fs {DISK} 2>&1")


def test_a_reserved_address_leads_to_the_droplet_that_has_it(world: World) -> None:
    world.machines.assign_ip(RESERVED, 2)
    assert soon("the reserved address", lambda: world.ssh(RESERVED, "hostname")) == "web-2"
    world.machines.unassign_ip(RESERVED, 2)
    world.machines.assign_ip(RESERVED, 1)
    assert soon("the moved address", lambda: world.ssh(RESERVED, "hostname")) == "web-1"


def test_a_power_cycle_brings_everything_back_and_no_first_boot(world: World) -> None:
    world.machines.firewall(1, (SSH, Rule("tcp", (9, 9), EVERYBODY)), OUT)
    world.machines.power(1, False)
    assert not world.machines.running(1)
    assert world.machines.disks.devices("vol") == [], "a droplet that is off holds no loop device"
    world.machines.resize(1, 2, 2048)
    world.machines.power(1, True)
    assert world.machines.running(1)
    assert soon("SSH at the reserved address", lambda: world.ssh(RESERVED, "hostname")) == "web-1"
    assert world.ssh(WEB, "cloud-init status --wait").endswith("status: done")
    assert world.ssh(WEB, "cat /srv/firsts /srv/boots /mnt/data/file").split() == [
        "first",
        "boot",
        "boot",
        "precious",
    ]
    limit = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2> /dev/null; true"
    assert world.ssh(WEB, limit) == str(2 * 1024**3)
    soon("the container that is always started", lambda: "Up" in world.ssh(WEB, "docker ps --format '{{.Status}}'"))
    assert not answers(WEB, 8080), "the firewall must be there again before anybody can connect"


def test_a_volume_is_pulled_from_under_its_mount_and_whole_elsewhere(world: World) -> None:
    world.ssh(WEB, "echo more >> /mnt/data/file")
    world.machines.detach_volume("vol", 1)
    world.machines.detach_volume("vol", 1)  # twice is once
    with pytest.raises(OSError, match="Input/output error"):
        world.ssh(WEB, "cat /mnt/data/file && touch /mnt/data/late")
    assert world.ssh(WEB, "ls /dev/disk/by-id") == ""
    world.machines.attach_volume("vol", 2)
    assert world.ssh(DB, f"mkdir -p /mnt/data && mount {DISK} /mnt/data && cat /mnt/data/file").split() == [
        "precious",
        "more",
    ]


def test_a_droplet_that_is_killed_keeps_no_loop_device_and_can_be_started(world: World) -> None:
    world.machines.power(1, False)  # its dead mount goes
    docker("kill", f"fleetwatch-cloud-{world.name}-droplet-2")
    soon("no loop device", lambda: world.machines.disks.devices("vol") == [], patience=5)
    world.machines.power(2, True)
    soon("SSH", lambda: world.ssh(DB, f"mount {DISK} /mnt/data && cat /mnt/data/file"))


def test_a_volume_outlives_its_droplet(world: World) -> None:
    world.machines.delete_droplet(2)
    world.machines.delete_droplet(2)  # twice is once
    assert not world.machines.running(2)
    assert world.machines.disks.uuids() == ["vol"]
    world.machines.power(1, True)
    world.machines.attach_volume("vol", 1)
    assert soon("the file", lambda: world.ssh(WEB, "mount /mnt/data; cat /mnt/data/file")) == "precious\nmore"


def test_mistakes_are_told_in_a_sentence(world: World) -> None:
    with pytest.raises(MachineError, match="expected the file system ext4, got 'xfs'"):
        world.machines.create_volume("other", "other", 1, "xfs")
    with pytest.raises(MachineError, match="overlaps with another network of this machine's Docker"):
        world.machines.create_vpc("overlapping", f"{world.range}.0/25")
    with pytest.raises(MachineError, match="There is no volume none in the cloud"):
        world.machines.attach_volume("none", 1)


def test_a_server_without_docker_has_a_user_with_sudo(world: World) -> None:
    world.machines.create_server("bare", SERVER, "deploy", world.public, docker=False)
    assert soon("SSH", lambda: world.ssh(SERVER, "sudo -n id -u", "deploy")) == "0"
    with pytest.raises(OSError, match=r".*"):
        world.ssh(SERVER, "command -v docker dockerd", "deploy")
    assert world.ssh(SERVER, f"test -e /{COMPOSE} || echo none", "deploy") == "none"


def test_removal_leaves_nothing(world: World) -> None:
    [device] = world.machines.disks.devices("vol")
    behind = Path(f"/sys/block/{Path(device).name}/loop/backing_file")
    assert behind.read_text().strip() == "/disk.img"
    world.machines.remove_all()
    for kind in ("container", "network", "volume"):
        every = ["-a"] if kind == "container" else []
        assert docker(kind, "ls", "-q", *every, "--filter", f"label={LABEL}={world.name}") == ""
        names = docker(kind, "ls", *every, "--format", "{{.Name}}" if kind != "container" else "{{.Names}}")
        assert world.name not in names
    # Another cloud may have been given the same device since; what is behind it is then not deleted.
    assert not behind.exists() or "(deleted)" not in behind.read_text()
