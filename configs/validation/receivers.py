"""Rules about the receivers of alerts."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path. A mail server that expects a user name expects a password too."""
    for name, receiver in settings.hub.alerts.receivers.items():
        mail, path = receiver.email, f"hub.alerts.receivers.{name}.email"
        if mail is not None and mail.username is not None and mail.password is None:
            yield (
                f"{path}.password: missing, this key is required beside `username`; `make secret KEY={path}.password` "
                "sets it"
            )
