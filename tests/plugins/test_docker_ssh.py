"""The docker stand-in over ssh, with programs in ssh's place: they note how they are called, connect here, or fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from localcloud.standins.plugins.docker_api import Docker, DockerError, parse_ssh_opts
from localcloud.standins.plugins.docker_ssh import ssh_command

HOST = "ssh://deploy@203.0.113.7:2222"
DIAL = ["--", "203.0.113.7", "docker", "system", "dial-stdio"]


def _ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/args\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def _docker(options: list[str] | None = None) -> Docker:
    docker = Docker()
    docker.configure(HOST, options or ["-o", "BatchMode=yes"])
    return docker


def test_options_are_words_and_go_through_as_they_are() -> None:
    assert parse_ssh_opts('["-o", "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAA"]') == [
        "-o",
        "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAA",
    ]
    assert ssh_command(HOST, ["-o", "A=b c", "-o", "ConnectTimeout=5"]) == [
        *("ssh", "-l", "deploy", "-p", "2222", "-o", "A=b c", "-o", "ConnectTimeout=5", "-T"),
        *DIAL,
    ]


def test_a_connection_is_not_waited_for_without_end() -> None:
    assert ssh_command("ssh://203.0.113.7", []) == ["ssh", "-o", "ConnectTimeout=30", "-T", *DIAL]


def test_a_path_cannot_be_part_of_the_host() -> None:
    with pytest.raises(ValueError, match=r"host: expected unix:///path or ssh://\[user@\]host\[:port\], got 'tcp://x'"):
        Docker().configure("tcp://x", [])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (255, "deploy@203.0.113.7: Permission denied (publickey)."),
        (255, "No ED25519 host key is known for 203.0.113.7\nHost key verification failed."),
        (127, "sh: 1: docker: not found"),
    ],
)
def test_a_connection_that_fails_is_explained_in_sshs_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    _ssh(tmp_path, monkeypatch, f"cat >&2 << 'END'\n{words}\nEND\nexit {code}")
    with pytest.raises(ConnectionError) as failed:
        _docker().get("/version")
    # The vendor's plugin says it like this, two spaces included.
    assert str(failed.value) == (
        "failed to create Docker client: Error pinging Docker server, please make sure that "
        "ssh://deploy@203.0.113.7:2222 is reachable and has a  '_ping' endpoint. Error: error during connect: "
        'Head "http://docker.example.com/_ping": command [ssh -l deploy -p 2222 -o BatchMode=yes '
        "-o ConnectTimeout=30 -T -- 203.0.113.7 docker system dial-stdio] has exited with exit status "
        f"{code}, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr={words}"
    )


def test_nothing_is_contacted_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ssh(tmp_path, monkeypatch, "exit 255")
    _docker().close()
    assert not (tmp_path / "args").exists()


@pytest.mark.integration
def test_one_connection_serves_all_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ssh(tmp_path, monkeypatch, "exec docker system dial-stdio")
    remote = _docker()
    assert remote.get("/version")["ApiVersion"]
    assert remote.find("/containers/fleetwatch-no-such-container/json") is None
    remote.close()
    assert (tmp_path / "args").read_text().splitlines() == [
        "-l deploy -p 2222 -o BatchMode=yes -o ConnectTimeout=30 -T -- 203.0.113.7 docker system dial-stdio"
    ]


@pytest.mark.integration
def test_an_image_is_pulled_through_the_same_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The docker program would go its own way to the host, without the options and so without the pinned key."""
    _ssh(tmp_path, monkeypatch, "exec docker system dial-stdio")
    remote, said = _docker(), list[str]()
    missing = "localhost:1/fleetwatch-no-such-image:1"
    with pytest.raises(RuntimeError, match=f"with image {missing}: unable to find or pull image {missing}: .*refused"):
        remote.ensure_image(missing, lambda: said.append("pulling"))
    assert said == ["pulling"]
    remote.close()
    assert len((tmp_path / "args").read_text().splitlines()) == 1


@pytest.mark.integration
def test_an_error_of_the_engine_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ssh(tmp_path, monkeypatch, "exec docker system dial-stdio")
    remote = _docker()
    with pytest.raises(DockerError, match="^Error response from daemon: .*[Nn]o such container"):
        remote.get("/containers/fleetwatch-no-such-container/json")
    remote.close()
