"""Two servers that exist: the hub, and an edge behind it."""

from __future__ import annotations

import subprocess

from tests.integration.fleet import Fleet
from tests.integration.rig import eventually
from tools.stack import OWN

USER = "deploy"
PRINTS = "echo Welcome back"
# Accounts that cannot be used, by name: what makes one so, and how it is named.
ACCOUNTS = {
    "bash": ("echo '{print}' > ~{user}/.bashrc", 'the start file of the account {user} on it prints "Welcome back"'),
    "fish": (
        "mkdir -p ~{user}/.config/fish; echo '{print}' > ~{user}/.config/fish/config.fish",
        'the start file of the account {user} on it prints "Welcome back"',
    ),
    "nologin": (
        "usermod -s /usr/sbin/nologin {user}",
        "the account {user} on it has a login shell that runs no command",
    ),
    "forced": (
        "sed -i 's/^/command=\"{print}\" /' ~{user}/.ssh/authorized_keys",
        "the account {user} on it does not run the command that it gets over SSH",
    ),
    "expired": ("echo {user}:x | chpasswd; chage -d 0 {user}", "the password of the account {user} on it has expired"),
}


class Servers(Fleet):
    """Two machines on an internet of their own; the cloud beside them is never spoken to."""

    internet = "198.18.88.0/24"
    agent: subprocess.Popen[bytes] | None = None
    hub_address, edge_address = "198.18.88.140", "198.18.88.150"

    def begin(self) -> None:
        self.config = {
            "env": "test",
            "hub": {"server": {"address": self.hub_address, "user": USER}, "retention": {"metrics": "30d"}},
            "hosts": {"vps-1": {"server": {"address": self.edge_address, "user": USER}}},
        }
        super().begin()
        self.env = {key: value for key, value in self.env.items() if not key.startswith("DIGITALOCEAN")}

    def account_of_a_person(self, server: str) -> None:
        """The user's login shell is fish, and the SSH server allows one session a connection and shows a banner."""
        self.inside(server, "usermod", "-s", "/usr/bin/fish", USER)
        settings = "MaxSessions 1\nBanner /etc/issue.net\n"
        self.inside(server, "sh", "-c", 'printf "%s" "$0" > /etc/ssh/sshd_config.d/person.conf', settings)
        self.inside(server, "sh", "-c", "echo 'Permission denied to strangers.' > /etc/issue.net; service ssh reload")

    def prepare(self) -> None:
        super().prepare()
        key = self.state / "ssh_key"
        self.machines.create_server("hub", self.hub_address, USER, key.with_suffix(".pub").read_text().strip())
        host_key = ("cat", "/etc/ssh/ssh_host_ed25519_key.pub")  # made at its first boot
        shown = eventually("the hub's host key", lambda: self.inside("hub", *host_key, check=False).split()[:2], 30)
        for server in ("hub", "vps-1"):
            self.account_of_a_person(server)
        bastion = {"address": self.hub_address, "user": USER}
        self.change({"hub": {"server": {"host_key": " ".join(shown)}}})
        self.change({"hosts": {"vps-1": {"server": {"bastion": bastion}, "via": "internet"}}})
        (self.state / OWN).unlink()  # what says that the key is in a file
        socket = self.home / "agent"
        self.agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
        eventually("the agent", socket.exists, 10)
        self.env["SSH_AUTH_SOCK"] = str(socket)
        subprocess.run(["ssh-add", "-q", str(key)], env=self.env, check=True)
        key.rename(self.home / "kept")  # nobody finds it as a file

    def remove(self) -> None:
        super().remove()
        if self.agent:
            self.agent.terminate()
            self.agent.wait(10)
