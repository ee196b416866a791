"""The scrape jobs of a user's apps and the files that they name, for both metrics agents.

Credentials are files: the configuration names their paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from configs import names
from configs.services.spec import File, Late, text
from configs.units import prometheus_duration

if TYPE_CHECKING:
    from pydantic import SecretStr

    from configs.settings.app import App
    from configs.settings.edge import Edge


def jobs(edge: Edge, folder: str, own: Callable[[App], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scrape jobs. `folder`: where the agent's configuration is mounted. `own`: the keys that one agent has alone.

    `honor_labels` would let an app take the labels of another host: its `env` and `host` are set again afterwards.
    """
    return [
        {
            "job_name": name,
            "scrape_interval": prometheus_duration(app.interval),
            "scrape_timeout": prometheus_duration(app.scrape_timeout),
            "metrics_path": app.path,
            "scheme": app.scheme,
            **({"params": {key: list(values) for key, values in sorted(app.params.items())}} if app.params else {}),
            **_credentials(name, app, folder),
            "sample_limit": app.sample_limit,
            "label_limit": app.label_limit,
            "honor_timestamps": app.honor_timestamps,
            **({"honor_labels": True} if app.honor_labels else {}),
            **own(app),
            **_targets(app),
            **({"metric_relabel_configs": steps} if (steps := list(_by_name(app))) else {}),
        }
        for name, app in sorted(edge.apps.items())
    ]


def files(edge: Edge) -> dict[str, File]:
    """Certificates, by file name. They are no secrets."""
    made = {}
    for name, app in sorted(edge.apps.items()):
        for key in ("ca", "cert"):
            found = getattr(app.tls, key) if app.tls is not None else None
            if found is not None:
                made[_file(name, key)] = text(found)
    return made


def secrets(edge: Edge) -> dict[str, File]:
    """Tokens, passwords and keys, by file name."""
    made: dict[str, File] = {}
    for name, app in sorted(edge.apps.items()):
        given = {
            "token": app.bearer_token,
            "password": app.basic_auth.password if app.basic_auth is not None else None,
            "key": app.tls.key if app.tls is not None else None,
        }
        made |= {_file(name, key): _secret(value) for key, value in given.items() if value is not None}
    return made


def binary_size(size: int) -> str:
    """Bytes as both agents read them: `MB` is a power of ten for one and of two for the other."""
    return f"{-(-size // 1024)}KiB"


def honored(labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The steps that set these labels on every metric. A different value of the metric's own becomes
    `exported_<label>`, as it does for a target without `honor_labels`."""
    for label, value in labels.items():
        exported = f"exported_{label}"
        yield {"source_labels": [label], "regex": "(.+)", "target_label": exported, "replacement": "$1"}
        yield {"source_labels": [exported], "regex": literal(value), "target_label": exported, "replacement": ""}
        yield {"target_label": label, "replacement": value}


def literal(value: str) -> str:
    """A regular expression (RE2) for exactly this text."""
    return "".join(f"\\{letter}" if letter in r"\.+*?()|[]{}^$" else letter for letter in value)


def _targets(app: App) -> dict[str, Any]:
    if app.dns is None:
        return {"static_configs": [{"targets": list(app.addresses), **_labels(app)}]}
    name, _, port = app.dns.rpartition(":")
    # A discovered target has no labels of a group.
    labels = sorted(app.labels.items())
    steps = [{"target_label": key, "replacement": value.replace("$", "$$")} for key, value in labels]
    return {
        "dns_sd_configs": [{"names": [name], "type": "A", "port": int(port)}],
        **({"relabel_configs": steps} if steps else {}),
    }


def _labels(app: App) -> dict[str, Any]:
    return {"labels": dict(sorted(app.labels.items()))} if app.labels else {}


def _by_name(app: App) -> Iterator[dict[str, Any]]:
    for action, patterns in (("keep", app.keep), ("drop", app.drop)):
        if patterns:
            regex = "|".join(f"(?:{pattern})" for pattern in patterns)
            yield {"source_labels": ["__name__"], "regex": regex, "action": action}


def _credentials(name: str, app: App, folder: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if app.bearer_token is not None:
        found["authorization"] = {"credentials_file": f"{names.SECRETS}/{_file(name, 'token')}"}
    if app.basic_auth is not None:
        password = f"{names.SECRETS}/{_file(name, 'password')}"
        found["basic_auth"] = {"username": app.basic_auth.username, "password_file": password}
    if (tls := app.tls) is not None:
        given = {
            "ca_file": f"{folder}/{_file(name, 'ca')}" if tls.ca is not None else None,
            "cert_file": f"{folder}/{_file(name, 'cert')}" if tls.cert is not None else None,
            "key_file": f"{names.SECRETS}/{_file(name, 'key')}" if tls.key is not None else None,
            "server_name": tls.server_name,
            "insecure_skip_verify": tls.insecure or None,
        }
        found["tls_config"] = {key: value for key, value in given.items() if value is not None}
    return found


def _file(app: str, what: str) -> str:
    return f"app-{app}-{what}"


def _secret(value: SecretStr) -> File:
    def render(_: Late) -> str:
        return value.get_secret_value()

    return File(render)
