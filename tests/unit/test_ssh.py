"""The words of the ssh command lines, read back by the ssh program itself where they are nested."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configs import ssh

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHk0"
HUB_KEY = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY"
HUB = ssh.SshTarget("root", "203.0.113.5", 22, "~/.ssh/my key", 10)
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh program here")


def _target(**given: Any) -> ssh.SshTarget:
    known: dict[str, Any] = {
        "user": "deploy",
        "address": "10.20.0.7",
        "port": 2222,
        "key": "~/.ssh/my key",
        "timeout": 10,
    }
    return ssh.SshTarget(**{**known, **given})


def _set(words: list[str]) -> dict[str, str]:
    """The options of a command line; the first one of a name counts, as for ssh."""
    found: dict[str, str] = {}
    for before, word in zip(words, words[1:], strict=False):
        if before == "-o":
            found.setdefault(word.partition("=")[0], word.partition("=")[2])
    return found


def _understood(words: list[str]) -> dict[str, str]:
    """What the ssh program makes of a command line, without connecting."""
    done = subprocess.run([words[0], "-G", *words[1:]], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def test_the_pinned_key_is_the_only_one_that_is_taken() -> None:
    options = _set(ssh.options(_target(), KEY))
    assert options["StrictHostKeyChecking"] == "yes"
    assert options["KnownHostsCommand"] == f"/bin/echo %H {KEY}"
    assert options["HostKeyAlgorithms"] == "ssh-ed25519", "another kind of key would be an unknown one"
    assert options["UserKnownHostsFile"] == options["GlobalKnownHostsFile"] == "/dev/null", "no file has a say"


ARGUMENTS = [
    "{{json .}}",
    "it's",
    "$HOME `id`",
    "a\\nb",
    "\\",
    "now!",
    "",
    "=x",
    "~",
    "a b",
    "{a,b}",
    "*",
    "a;b&c|d",
    '"q"',
]


def test_a_remote_command_arrives_as_it_is_in_a_posix_shell() -> None:
    command = ssh.remote(["printf", "%s\\n", *ARGUMENTS])
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{argument}\n" for argument in ARGUMENTS)


def test_a_remote_command_has_nothing_that_login_shells_read_differently() -> None:
    r"""In single quotes fish takes \\ and \' for escapes, and tcsh replaces !."""
    for argument in ARGUMENTS:
        quoted = re.findall(r"'([^']*)'", ssh.remote([argument]).replace('"\'"', ""))
        assert not [part for part in quoted if re.search(r"[\\!\n]", part)], argument
    assert ssh.remote(["docker", "ps", "--format={{.Names}}"]) == "docker ps '--format={{.Names}}'"


def test_an_rsa_key_is_offered_under_its_newer_names() -> None:
    algorithms = _set(ssh.options(_target(), "ssh-rsa AAAAB3"))["HostKeyAlgorithms"]
    assert algorithms == "rsa-sha2-512,rsa-sha2-256", "ssh-rsa itself is SHA-1, and refused by current servers"


def test_nobody_is_asked_and_no_file_of_the_user_is_read() -> None:
    words = ssh.ssh_argv(_target(), KEY)
    assert words[:3] == ["ssh", "-F", "/dev/null"]
    options = _set(words)
    assert (options["BatchMode"], options["ConnectTimeout"]) == ("yes", "10")
    assert (options["IdentityFile"], options["IdentitiesOnly"]) == ('"~/.ssh/my key"', "yes")
    assert words[-3:] == ["-p", "2222", "deploy@10.20.0.7"]


def test_without_a_key_the_agents_keys_are_used() -> None:
    assert not {"IdentityFile", "IdentitiesOnly"} & set(_set(ssh.ssh_argv(_target(key=None), KEY)))


def test_connections_are_shared_but_never_between_a_first_contact_and_a_later_one() -> None:
    shared = _set(ssh.ssh_argv(_target(), KEY))
    assert shared["ControlMaster"] == "auto"
    assert re.fullmatch(r"~/\.ssh/fleetwatch-[0-9a-f]{20}", shared["ControlPath"]), "a socket's path has a limit"
    assert _set(ssh.first_contact(_target()))["ControlPath"] == "none"


def test_a_connection_is_shared_by_those_who_mean_the_same_machine_only() -> None:
    def path(target: ssh.SshTarget, key: str = KEY) -> str:
        return _set(ssh.ssh_argv(target, key))["ControlPath"]

    through = _target(jump=ssh.jump(HUB, HUB_KEY))
    assert path(through) == path(_target(jump=ssh.jump(HUB, HUB_KEY)))
    other_hub = _target(jump=ssh.jump(dataclasses.replace(HUB, address="203.0.113.6"), HUB_KEY))
    others = [path(_target()), path(other_hub), path(through, HUB_KEY), path(dataclasses.replace(through, port=22))]
    assert path(through) not in others, "the same address behind another hub is another machine"
    assert len(set(others)) == len(others)


def test_a_first_contact_takes_the_key_that_is_shown_and_none_that_changed() -> None:
    options = _set(ssh.first_contact(_target()))
    assert options["StrictHostKeyChecking"] == "accept-new"
    assert "KnownHostsCommand" not in options
    assert options["HostKeyAlgorithms"] == ssh.ANY_KEY
    assert options["HashKnownHosts"] == "no", "contact.sh reads the key from its line"
    assert "UserKnownHostsFile" not in options, "the first of a name counts: contact.sh names its own file later"


def test_docker_is_given_the_address_as_url() -> None:
    assert _target().url == "ssh://deploy@10.20.0.7:2222"


@needs_ssh
@pytest.mark.parametrize(
    "make", [lambda target: ssh.ssh_argv(target, KEY), ssh.first_contact], ids=["command", "contact"]
)
def test_ssh_understands_the_words(make: Callable[[ssh.SshTarget], list[str]]) -> None:
    known = _understood(make(_target()))
    assert (known["user"], known["hostname"], known["port"]) == ("deploy", "10.20.0.7", "2222")
    assert known["batchmode"] == "yes"
    assert known["identityfile"] == "~/.ssh/my key"
    assert "proxycommand" not in known


@needs_ssh
def test_ssh_takes_the_pinned_key_from_a_command_and_asks_no_file() -> None:
    known = _understood(ssh.ssh_argv(_target(), KEY))
    assert known["knownhostscommand"] == f"/bin/echo %H {KEY}"
    assert known["hostkeyalgorithms"] == "ssh-ed25519"
    assert known["userknownhostsfile"] == "/dev/null"
    assert known["stricthostkeychecking"] == "true"


@needs_ssh
def test_the_way_through_the_hub_is_one_command_that_pins_the_hubs_own_key() -> None:
    outer = _understood(ssh.ssh_argv(_target(jump=ssh.jump(HUB, HUB_KEY)), KEY))
    # ssh puts the next host into it (%h, %p), makes one % of two, and hands it to a shell.
    filled = {"h": "10.20.0.7", "p": "2222", "%": "%"}
    inner = re.sub(r"%(.)", lambda found: filled[found[1]], outer["proxycommand"])
    words = shlex.split(inner)
    assert words[words.index("-W") + 1] == "[10.20.0.7]:2222"
    assert words[-1] == "root@203.0.113.5"
    options = _set(words)
    assert options["KnownHostsCommand"] == f"/bin/echo %H {HUB_KEY}", "%H is the hub's, for the inner ssh to fill in"
    assert options["ControlPath"] == _set(ssh.ssh_argv(HUB, HUB_KEY))["ControlPath"], "that of the hub's own commands"
    assert options["IdentityFile"] == '"~/.ssh/my key"', "a space in a name survives both"
    assert outer["knownhostscommand"] == f"/bin/echo %H {KEY}", "the host's own key is pinned as well"


@needs_ssh
def test_a_first_contact_goes_through_the_hub_as_well() -> None:
    found = _understood(ssh.first_contact(_target(jump=ssh.jump(HUB, HUB_KEY))))
    words = shlex.split(found["proxycommand"])
    assert words[words.index("-W") + 1] == "[%h]:%p"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_a_public_keys_fingerprint_is_the_one_that_ssh_keygen_knows(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    asked = ["ssh-keygen", "-l", "-E", "md5", "-f", str(tmp_path / "id.pub")]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.split()[1] == f"MD5:{ssh.fingerprint((tmp_path / 'id.pub').read_text())}"
