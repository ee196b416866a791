"""contact.sh and on_host.sh for real, with a fake ssh that prints what OpenSSH 9.2 printed in each of these cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_programs import Programs

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH"
MARK = "fleetwatch-contact"  # what the account is to print
CONTACT = {
    "ACCOUNT": "root",
    "FORWARDS": "",
    "HOST": "web-1",
    "ADDRESS": "root@203.0.113.7 port 22",
    "SSH": "ssh -p 22 root@203.0.113.7",
    "KEY": "",
    "KEY_NAME": "~/.ssh/id_ed25519",
    "PATH_IN_FILE": "hosts.web-1.server",
    "PATIENCE": "0",
    "BOOTING": "",
}
ON_HOST = {
    "HOST": "web-1",
    "ADDRESS": "root@203.0.113.7 port 22",
    "SSH": "ssh -p 22 root@203.0.113.7",
    "REMOTE": "cat; echo done",
    "TIMEOUT": "10",
    "CLOSE": "",
}
NOISE = "OpenSSH_9.2p1 Debian-2+deb12u6\ndebug1: Connecting to 203.0.113.7 port 22.\n"
CHANGED = (
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
    "Host key for 203.0.113.7 has changed and you have requested strict checking.\nHost key verification failed.\n"
)
OTHER_KIND = "Unable to negotiate with 203.0.113.7 port 22: no matching host key type found. Their offer: ssh-ed25519\n"
DENIED = "root@203.0.113.7: Permission denied (publickey).\n"
REFUSED = "ssh: connect to host 203.0.113.7 port 22: Connection refused\n"
IN_BETWEEN = (
    "Stdio forwarding request failed: Session open refused by peer\n"
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n"
)
JUMP_CHANGED = f"{CHANGED}kex_exchange_identification: Connection closed by remote host\n" + (
    "Connection closed by UNKNOWN port 65535\n"
)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    made.fake("sleep")
    return made


def _fails(programs: Programs, said: str) -> None:
    (programs.folder / "said").write_text(NOISE + said)
    programs.fake("ssh", 'cat "$STATE/said" >&2; exit 255')


def shows(known: str) -> str:
    """An ssh that writes what it learned into the file that it was given for it, and runs the command."""
    keep = f'for word; do case $word in UserKnownHostsFile=*) echo "{known}" > "${{word#*=}}" ;; esac; done'
    return f"{keep}; echo {MARK}"


@pytest.mark.parametrize("name", ["203.0.113.7", "[203.0.113.7]:2222"])
def test_the_first_contact_gives_the_key_that_the_hostshows(programs: Programs, name: str) -> None:
    programs.fake("ssh", shows(f"{name} {KEY}") + "; echo Welcome >&2")
    done = programs.here("contact", **CONTACT)
    assert (done.returncode, done.stdout) == (0, f"{KEY}\n"), "nothing else may be in it, it is pinned from now on"
    assert not list(programs.folder.glob("tmp.*")), "no file is left behind"


def test_a_given_key_is_used_whatever_else_the_hostshows(programs: Programs) -> None:
    programs.fake("ssh", shows("203.0.113.7 ssh-rsa AAAA"))
    assert programs.here("contact", **{**CONTACT, "KEY": KEY}).stdout == f"{KEY}\n"


@pytest.mark.parametrize("said", [CHANGED, OTHER_KIND])
def test_another_key_than_the_given_one_fails_at_once(programs: Programs, said: str) -> None:
    _fails(programs, said)
    done = programs.here("contact", **{**CONTACT, "KEY": KEY, "PATIENCE": "600", "BOOTING": "yes"})
    assert done.returncode == 1
    assert done.stderr == (
        "host web-1: root@203.0.113.7 port 22 shows another SSH host key than the one in the stack file "
        "(hosts.web-1.server.host_key); if the machine was reinstalled, write its new key there "
        "(ssh-keyscan shows it)\n"
    ), "waiting makes no difference to it"


def test_a_refused_key_fails_at_once(programs: Programs) -> None:
    _fails(programs, DENIED)
    done = programs.here("contact", **{**CONTACT, "PATIENCE": "600"})
    assert done.returncode == 1
    assert done.stderr == (
        "host web-1: root@203.0.113.7 port 22 refuses the SSH key (~/.ssh/id_ed25519); add its public key to "
        "~/.ssh/authorized_keys of that user there (hosts.web-1.server, ssh.key)\n"
    )


def test_a_key_file_that_cannot_be_read_is_told(programs: Programs) -> None:
    _fails(programs, f"no such identity: ~/.ssh/gone: No such file or directory\n{DENIED}")
    done = programs.here("contact", **CONTACT)
    assert done.stderr.endswith("; here: no such identity: ~/.ssh/gone: No such file or directory\n")


def test_a_machine_that_boots_may_refuse_the_key_for_a_while(programs: Programs) -> None:
    once = f'[ -e "$STATE/once" ] || {{ : > "$STATE/once"; echo "{DENIED.strip()}" >&2; exit 255; }}'
    programs.fake("ssh", f"{once}; echo {MARK}")
    done = programs.here("contact", **{**CONTACT, "KEY": KEY, "PATIENCE": "600", "BOOTING": "yes"})
    assert (done.returncode, done.stdout) == (0, f"{KEY}\n"), done.stderr
    assert len(programs.calls("ssh")) == 2, "cloud-init puts the key there late"


def test_a_machine_that_does_not_answer_is_told_with_the_last_reason(programs: Programs) -> None:
    _fails(programs, REFUSED)
    done = programs.here("contact", **CONTACT)
    assert done.returncode == 1
    assert done.stderr == (
        "host web-1: no SSH connection to root@203.0.113.7 port 22, tried for 0 s: "
        "ssh: connect to host 203.0.113.7 port 22: Connection refused\n"
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (IN_BETWEEN, "Stdio forwarding request failed: Session open refused by peer"),
        (JUMP_CHANGED, "Host key verification failed."),
    ],
)
def test_a_failure_of_the_jump_host_is_reported_as_such(programs: Programs, said: str, reason: str) -> None:
    _fails(programs, said)
    jump = "through the jump host"
    assert programs.here("contact", **CONTACT).stderr.endswith(f", tried for 0 s: {jump}: {reason}\n")
    assert " -S none " in programs.calls("ssh")[0], "a shared connection would hide the jump host's messages"
    told = programs.here("on_host", **ON_HOST, JUMP_HOST="hub").stderr.partition("(ssh.timeout: 10 s): ")[2]
    accept = " If that is expected, accept its new key: `make accept-key HOST=hub`" if "key" in reason else ""
    assert told == f"{jump} (hub): {reason}{accept}\n"


def test_a_long_wait_shows_that_it_goes_on(programs: Programs) -> None:
    _fails(programs, REFUSED)
    clock = 'n=$(cat "$STATE/clock" 2> /dev/null || echo 0); echo $((n + 10)) > "$STATE/clock"; echo "$n"'
    programs.fake("date", clock)
    done = programs.here("contact", **{**CONTACT, "PATIENCE": "60"})
    waits = [line for line in done.stderr.splitlines() if "waiting for SSH" in line]
    assert waits[0] == "host web-1: waiting for SSH at root@203.0.113.7 port 22 (20 s of at most 60 s)"
    assert len(waits) == 2, "every 15 s, not at every attempt"


def test_input_and_outputs_of_the_host_are_passed_on(programs: Programs) -> None:
    programs.fake("ssh", 'for last; do :; done; eval "$last"; echo remark >&2')
    done = programs.here("on_host", "line 1\nline 2\n", **ON_HOST)
    assert (done.returncode, done.stdout, done.stderr) == (0, "line 1\nline 2\ndone\n", "remark\n")
    assert programs.calls() == ["ssh -p 22 root@203.0.113.7 -q cat; echo done"], "one connection, one command"


def test_a_failed_command_is_the_hosts_own_matter(programs: Programs) -> None:
    programs.fake("ssh", "echo 'docker: no such container' >&2; exit 7")
    done = programs.here("on_host", **ON_HOST)
    assert (done.returncode, done.stderr) == (7, "docker: no such container\n"), "it is said already"


def test_the_shared_connection_is_left_where_asked_for(programs: Programs) -> None:
    programs.fake("ssh", 'case "$*" in *"-O stop") exit 255 ;; esac')
    done = programs.here("on_host", **{**ON_HOST, "CLOSE": "yes"})
    assert done.returncode == 0, "nobody has to be connected for it"
    left = "ssh -p 22 root@203.0.113.7 -O stop"
    before, run, after = programs.calls()
    assert (before, after) == (left, left), "it may lead to a machine that is no more; exit would cut off others in it"
    assert run != left


REASONS = {
    CHANGED: "it shows another SSH host key than the pinned one. If that is expected (the machine was reinstalled), "
    "accept it: `make accept-key HOST=web-1`, or write the key into the stack file (host_key)",
    OTHER_KIND: "it shows another SSH host key than the pinned one. If that is expected (the machine was reinstalled), "
    "accept it: `make accept-key HOST=web-1`, or write the key into the stack file (host_key)",
    DENIED: "it refuses the SSH key; add its public key to ~/.ssh/authorized_keys of that user there",
    REFUSED: "ssh: connect to host 203.0.113.7 port 22: Connection refused",
}


@pytest.mark.parametrize("said", REASONS)
def test_a_connection_that_fails_is_told_with_its_reason_and_nothing_else(programs: Programs, said: str) -> None:
    (programs.folder / "said").write_text(NOISE + said)
    programs.fake("ssh", 'case " $* " in *" -q "*) exit 255 ;; esac; cat "$STATE/said" >&2; exit 255')
    done = programs.here("on_host", **ON_HOST)
    assert done.returncode == 255
    assert done.stderr == (
        f"host web-1: no SSH connection to root@203.0.113.7 port 22 (ssh.timeout: 10 s): {REASONS[said]}\n"
    )
    again = programs.calls()[1].split()
    assert again[again.index("-S") + 1] == "none", "a shared connection would hide the reason"


def test_a_connection_that_broke_off_says_to_run_again(programs: Programs) -> None:
    programs.fake("ssh", 'case " $* " in *" -q "*) exit 255 ;; esac')
    done = programs.here("on_host", **ON_HOST)
    assert done.returncode == 255
    assert done.stderr.endswith("(ssh.timeout: 10 s): the connection broke off; run the update again\n")


def test_a_machine_that_is_starting_is_given_time(programs: Programs) -> None:
    """Twice it refuses, as it does between being on and running sshd; the command and its input go there once."""
    (programs.folder / "said").write_text(REFUSED)
    refuse = 'n=$(cat "$STATE/n" 2> /dev/null || echo 0); echo $((n + 1)) > "$STATE/n"; [ "$n" -ge 2 ]'
    programs.fake("ssh", f'{refuse} || {{ cat "$STATE/said" >&2; exit 255; }}\nfor last; do :; done; eval "$last"')
    done = programs.here("on_host", "line 1\n", **{**ON_HOST, "PATIENCE": "30"})
    assert (done.returncode, done.stdout) == (0, "line 1\ndone\n"), done.stderr
    assert len(programs.calls("ssh")) == 4, "two refusals, an answer, the command"


@pytest.mark.parametrize(("patience", "said"), [("0", REFUSED), ("30", DENIED), ("30", CHANGED)])
def test_no_time_is_given_to_one_that_will_not_answer_otherwise(programs: Programs, patience: str, said: str) -> None:
    (programs.folder / "said").write_text(said)
    programs.fake("ssh", 'cat "$STATE/said" >&2; exit 255')
    done = programs.here("on_host", **{**ON_HOST, "PATIENCE": patience})
    assert done.returncode == 255
    assert REASONS[said] in done.stderr
    assert programs.calls("sleep") == []
