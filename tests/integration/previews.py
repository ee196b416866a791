"""The stack that the tests named test_preview* look at: a running one, every kind of secret in it planted."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

from tests.integration.rig import Rig, rig
from tools.comment import page, records
from tools.comment.model import Record

# Every kind of setting that is a secret, and a value that its format takes; {} is what is looked for.
SECRETS = {
    "hosts.hub.postgres.main.dsn": "postgresql://watch:{}@db:5432/shop",
    "hub.alerts.receivers.chat.slack.url": "https://hooks.example.com/{}",
    "hub.alerts.receivers.mail.email.password": "{}",
    "hub.alerts.receivers.pager.pagerduty.routing_key": "{}",
    "hub.alerts.receivers.hook.webhook.url": "https://hook.example.com/{}",
    "hub.grafana.auth.github.client_secret": "{}",
}
TOKEN = "digitalocean:token"  # no setting of the program's, and as secret as they are
MAIL = {
    "to": "ops@example.com", "sender": "f@example.com", "smarthost": "smtp.example.com:587", "username": "fleetwatch",
}  # fmt: skip
RECEIVERS = {
    "chat": {"slack": {"channel": "#ops"}}, "mail": {"email": MAIL},
    "pager": {"pagerduty": {}}, "hook": {"webhook": {}},
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "hub": {
        "alerts": {"receivers": RECEIVERS, "default": "chat"},
        "grafana": {"auth": {"github": {"client_id": "x", "allowed_organizations": ["acme"]}}},
    },
    "hosts": {"hub": {"postgres": {"main": {}}}},
}


class Previewed:
    """A running stack, what was planted in it, and everything that any command of these tests said."""

    def __init__(self, made: Rig) -> None:
        self.rig = made
        self.planted: list[str] = []
        self.said = ""
        self.folder = made.home / "previews"

    def plant(self) -> None:
        """Give every secret a new value."""
        for key, form in {**SECRETS, TOKEN: "{}"}.items():
            self.planted.append(f"pl4nted{secrets.token_hex(8)}")
            done = self.rig.tool("secret", key, stdin=form.format(self.planted[-1]))
            assert done.returncode == 0, done.stdout
            self.said += done.stdout

    def record(self, *words: str, code: int = 0) -> Record:
        """`python -m tools record`, read again."""
        place = self.folder / f"{self.rig.name}.preview.json"
        done = self.rig.tool("record", *words, str(place))
        self.said += done.stdout
        assert done.returncode == code, done.stdout[-3000:]
        assert "Traceback (most recent" not in done.stdout + place.read_text()
        self.said += place.read_text()
        for verdict in self.folder.glob("*.policy.json"):  # an artefact as well
            self.said += verdict.read_text()
        (found,) = records.read_records(self.folder)
        self.said += page.build([found], limit=0)
        return found


@contextlib.contextmanager
def previewed() -> Iterator[Previewed]:
    """Brought up, and removed at the end."""
    with rig("preview", CONFIG) as made:
        stack = Previewed(made)
        stack.plant()
        stack.said += made.up()
        yield stack
