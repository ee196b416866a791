"""contact.sh and ready_host.sh for real with accounts of people: those that run something else than what they get over
SSH, and those that may not use Docker or sudo."""

from __future__ import annotations

import pytest

from tests.fixtures.fake_programs import Programs
from tests.unit.test_deploy_hosts import DENIED, DOCKER, MAY_SUDO, Ready, deploy_user, host, ready
from tests.unit.test_deploy_ssh import CONTACT, KEY, MARK, programs, shows

__all__ = ["host", "programs", "ready"]  # fixtures

PRINTS = (
    'host web-1: the start file of the account root on it prints "Welcome back" to stdout, where commands over SSH and '
    "Docker's connection expect their own output; "
)
NOLOGIN = (
    'host web-1: the account root on it has a login shell that runs no command ("This account is currently not '
    'available."); '
)
FORCED = (
    "host web-1: the account root on it does not run the command that it gets over SSH (expected the output of "
    '`echo fleetwatch-contact`, got "'
)
# What real accounts did on a server with OpenSSH 9.2: what they print, their exit code, the beginning of the sentence.
ACCOUNTS = {
    "start file": (f"echo 'Welcome back'; echo {MARK}", PRINTS),
    "start file without newline": (f"printf 'Welcome back'; echo {MARK}", PRINTS),
    "nologin": ("echo 'This account is currently not available.'; exit 1", NOLOGIN),
    "forced command": ("echo 'backups only'; exit 0", FORCED + 'backups only", exit code 0); '),
    "start file that ends the shell": ("exit 0", FORCED + '", exit code 0); '),
    "expired password": (
        r"printf 'Banner\nAuthenticated to x\nYour password has expired.\n' >&2; "
        "echo 'Password change required but no TTY available.' >&2; exit 1",
        "host web-1: the password of the account root on it has expired, so it runs no command (",
    ),
}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_account_that_does_not_run_commands_is_named_at_once(programs: Programs, account: str) -> None:
    shell, sentence = ACCOUNTS[account]
    programs.fake("ssh", shell)
    done = programs.here("contact", **{**CONTACT, "PATIENCE": "600"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1
    assert programs.calls("sleep") == [], "waiting makes no difference to it"


def test_a_bastion_needs_no_shell(programs: Programs) -> None:
    programs.fake("ssh", f"{shows(f'203.0.113.7 {KEY}')}\nexit 1".replace(f"echo {MARK}", "echo 'not available'"))
    done = programs.here("contact", **{**CONTACT, "FORWARDS": "yes"})
    assert (done.returncode, done.stdout) == (0, f"{KEY}\n"), done.stderr


def test_a_machine_that_boots_may_have_a_forced_command_for_a_while(programs: Programs) -> None:
    once = '[ -e "$STATE/once" ] || { : > "$STATE/once"; echo "Please wait until it is ready"; exit 142; }'
    programs.fake("ssh", f"{once}\n{shows(f'203.0.113.7 {KEY}')}")
    done = programs.here("contact", **{**CONTACT, "PATIENCE": "600", "BOOTING": "yes"})
    assert (done.returncode, done.stdout) == (0, f"{KEY}\n"), done.stderr


SUDO = {
    "sudo: a password is required": (
        "sudo wants a password from deploy",
        "add the line `deploy ALL=(ALL) NOPASSWD: ALL` there (`visudo -f /etc/sudoers.d/deploy`)",
    ),
    "sudo: sorry, you must have a tty to run sudo": (
        "sudo requires a terminal for deploy (`requiretty`)",
        "add the line `Defaults:deploy !requiretty` there (`visudo -f /etc/sudoers.d/deploy`)",
    ),
    "deploy is not allowed to run sudo on web-1.": (
        "sudo refuses deploy (deploy is not allowed to run sudo on web-1.)",
        "add the line `deploy ALL=(ALL) NOPASSWD: ALL` there (`visudo -f /etc/sudoers.d/deploy`)",
    ),
}


@pytest.mark.parametrize("answer", SUDO)
def test_sudo_that_cannot_be_used_over_ssh_is_named_with_the_way_out(host: Programs, ready: Ready, answer: str) -> None:
    deploy_user(host, f"echo '{answer}' >&2; exit 1")
    reason, rule = SUDO[answer]
    (host.folder / "files").write_text("in the way")
    host.fake("docker", DENIED)
    root = "set hosts.web-1.server.user: root\n"
    assert ready()[2] == (
        f"host web-1: user deploy may not use Docker on it, and {reason}; run `usermod -aG docker deploy` as root "
        f"there, or {rule}, or {root}"
    )
    host.fake("docker", DOCKER)
    files = f"{host.folder}/files/fleetwatch"
    assert ready()[2] == (
        f"host web-1: deploy cannot write to {files}, and {reason}; make it (`install -d -o deploy {files}` as root), "
        f"set hosts.web-1.server.files to a folder that deploy can make, or {rule}, or {root}"
    )
    (host.bin / "docker").unlink()
    assert ready(INSTALL="exit 0")[2] == f"host web-1: install_docker needs root on it, and {reason}; {rule}, or {root}"


def test_group_that_does_not_exist_is_named(host: Programs, ready: Ready) -> None:
    deploy_user(host, MAY_SUDO)
    host.fake("docker", DENIED)
    host.fake("usermod", "echo \"usermod: group 'docker' does not exist\" >&2; exit 6")
    assert ready()[2] == (
        "host web-1: user deploy may not use Docker on it and could not be added to the group docker: "
        "usermod: group 'docker' does not exist\n"
    )
