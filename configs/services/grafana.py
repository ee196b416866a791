"""Grafana on the hub, and its grafana.ini."""

from __future__ import annotations

import configparser
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from configs import names
from configs.services import grafana_files, shared_database
from configs.services.context import Context
from configs.services.spec import (
    MB,
    File,
    Late,
    Network,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
    restart_unless,
    text,
)

if TYPE_CHECKING:
    from configs.services.shared_database import Place
    from configs.settings import Settings
    from configs.settings.grafana import Roles
    from configs.settings.hub import Hub

SERVICE = Service(
    image="grafana",
    licence="AGPL-3.0-only",
    limits="grafana",
    memory=512 * MB,
    cpus=1.0,
    jobs=("grafana",),
)

CONFIG = "/etc/grafana"
DATA = "/var/lib/grafana"
CUSTOM = "dashboards-custom"
ADMIN_PASSWORD = "admin-password"
SECRET_KEY = "secret-key"


def specs(context: Context) -> list[ServiceSpec]:
    """Grafana of the hub."""
    settings = context.settings
    dashboards = {f"dashboards/{name}": File(_dashboard(board)) for name, board in context.dashboards.items()}
    return [
        ServiceSpec(
            role="grafana",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                **_main_files(settings),
                "provisioning/datasources/fleetwatch.yml": text(grafana_files.data_sources(settings)),
                "provisioning/dashboards/fleetwatch.yml": text(
                    grafana_files.dashboard_provider(f"{CONFIG}/dashboards")
                ),
                **{
                    f"provisioning/{kind}/fleetwatch.yml": text(grafana_files.nothing_of(kind))
                    for kind in grafana_files.UNUSED
                },
                **dashboards,
                **_custom(settings),
            },
            secrets={
                **{name: File(_secret(settings, name)) for name in secrets(settings)},
                ADMIN_PASSWORD: File(lambda late: late.admin_password, needs=("admin_password",)),
                **_shared_secrets(settings),
            },
            # Grafana reads changed dashboards within seconds by itself, everything else only at its start.
            reload=restart_unless("dashboards"),
            volumes={"grafana": Volume(DATA, durable=True)},
            networks=(Network("hub"),),
            health=http_check(f"http://127.0.0.1:{names.GRAFANA_PORT}/api/health"),
            read_only=False,  # Grafana unpacks plugins and writes below its home
            scrape=ScrapeJob(
                name="grafana",
                interval=context.edge.scrape.hub,
                port=names.GRAFANA_PORT,
                series=1000,  # not measured: the stand-in has next to none
            ),
        )
    ]


def _main_files(settings: Settings) -> dict[str, File]:
    """grafana.ini and, in a cluster, the certificate that its database is compared with."""
    if settings.hub.storage.shared is None:
        return {"grafana.ini": text(ini(settings))}
    rendered = shared_database.file(settings, "grafana", lambda place, _: ini(settings, place))
    return {"grafana.ini": rendered, **shared_database.ca(settings)}


def _shared_secrets(settings: Settings) -> dict[str, File]:
    """Of a cluster: the account's password, and the key with which Grafana encrypts tokens of sign-in providers there.
    Its default is public, which is no matter in a file on the hub's own disk."""
    if settings.hub.storage.shared is None:
        return {}
    key = File(lambda late: late.grafana_key, needs=("grafana_key",))
    return {shared_database.PASSWORD: shared_database.password(settings, "grafana"), SECRET_KEY: key}


def _custom(settings: Settings) -> dict[str, File]:
    """The user's dashboards in a separate folder, in Grafana and here; nothing without any."""
    if not settings.custom.dashboards:
        return {}
    return {
        "provisioning/dashboards/custom.yml": text(
            grafana_files.dashboard_provider(f"{CONFIG}/{CUSTOM}", name="custom", title="Custom")
        ),
        **{f"{CUSTOM}/{name}": text(board) for name, board in settings.custom.dashboards.items()},
    }


def _dashboard(render: Callable[[], str]) -> Callable[[Late], str]:
    return lambda _: render()


def _secret(settings: Settings, name: str) -> Callable[[Late], str]:
    return lambda _: secrets(settings)[name]


def ini(settings: Settings, database: Place | None = None) -> str:
    """grafana.ini. Secrets are read by Grafana from files (`$__file{}`), sign-up and anonymous access are off.
    `database`: None for the SQLite file in its volume."""
    hub = settings.hub
    sections: dict[str, dict[str, Any]] = {
        # Every request with its user: who signed in and changed what. The log agent keeps those (loglines.py).
        "server": {"http_port": names.GRAFANA_PORT, "router_logging": "true", **_site(hub)},
        "security": {
            "admin_user": hub.grafana.admin_user,
            "admin_password": _file(ADMIN_PASSWORD),
            **({"secret_key": _file(SECRET_KEY)} if database is not None else {}),
            "cookie_secure": "true",
            # A browser would hold it against every port of the name; on this machine one of them is for redirects. And
            # with it no browser lets a person go on past the warning about our own CA.
            "strict_transport_security": "false" if hub.own_ca else "true",
        },
        "users": {"allow_sign_up": "false", "default_theme": "system"},
        "auth": {"oauth_allow_insecure_email_lookup": "false"},
        "auth.anonymous": {"enabled": "false", "hide_version": "true"},
        "analytics": {"reporting_enabled": "false", "check_for_updates": "false", "check_for_plugin_updates": "false"},
        "log": {"mode": "console", "level": "info"},
        "log.console": {"format": "json"},
        "metrics": {"enabled": "true"},
        **({"database": _database(database)} if database is not None else {}),
        **_auth(settings),
    }
    parser = configparser.RawConfigParser()
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    return "; Grafana of the hub, rendered by fleetwatch\n" + text.getvalue().rstrip("\n") + "\n"


def _database(place: Place) -> dict[str, Any]:
    """Users, sessions and dashboards in a PostgreSQL: the Grafanas of all nodes have the same."""
    return {
        "type": "postgres",
        "host": place.address,
        "name": place.name,
        "user": place.user,
        "password": _file(shared_database.PASSWORD),
        "ssl_mode": place.sslmode,
        **({"ca_cert_path": f"{CONFIG}/{shared_database.CA}"} if place.verified else {}),
        "max_open_conn": shared_database.GRAFANA,
        "max_idle_conn": shared_database.GRAFANA,
    }


def _site(hub: Hub) -> dict[str, str]:
    """Where people find Grafana. Without a domain it is left out: they come by the hub's address, the site's name
    resolves nowhere, and Grafana's links are relative. Signing in with a provider needs a domain."""
    if hub.domain == names.NO_DOMAIN:
        return {}
    port = "" if hub.ports.https == 443 else f":{hub.ports.https}"
    return {"domain": hub.domain, "root_url": f"https://{hub.domain}{port}/"}


def secrets(settings: Settings) -> dict[str, str]:
    """Secret files besides the admin's password: one client secret for each sign-in provider."""
    auth = settings.hub.grafana.auth
    providers = {"google": auth.google, "github": auth.github, "oidc": auth.oidc}
    return {
        f"{name}-client-secret": provider.client_secret.get_secret_value()
        for name, provider in providers.items()
        if provider
    }


def _file(name: str) -> str:
    return f"$__file{{{names.SECRETS}/{name}}}"


def _auth(settings: Settings) -> dict[str, dict[str, Any]]:
    auth, found = settings.hub.grafana.auth, {}
    if auth.google:
        found["auth.google"] = _provider("google", auth.google.client_id, auth.google.roles, "openid email profile") | {
            "allowed_domains": " ".join(auth.google.allowed_domains)
        }
    if auth.github:
        found["auth.github"] = _provider("github", auth.github.client_id, auth.github.roles, "user:email,read:org") | {
            "allowed_organizations": " ".join(auth.github.allowed_organizations)
        }
    if auth.oidc:
        found["auth.generic_oauth"] = _provider("oidc", auth.oidc.client_id, auth.oidc.roles, auth.oidc.scopes) | {
            "name": auth.oidc.name,
            "auth_url": auth.oidc.auth_url,
            "token_url": auth.oidc.token_url,
            "api_url": auth.oidc.api_url,
            "use_pkce": "true",
        }
    return found


def _provider(name: str, client_id: str, roles: Roles, scopes: str) -> dict[str, Any]:
    return {
        "enabled": "true",
        # Who may sign in is bounded by domain, organisation or the provider; the account is made at first sign-in.
        "allow_sign_up": "true",
        "client_id": client_id,
        "client_secret": _file(f"{name}-client-secret"),
        "scopes": scopes,
        "role_attribute_path": role_path(roles),
        "role_attribute_strict": "true" if roles.otherwise == "None" else "false",
    }


def role_path(roles: Roles) -> str:
    """The JMESPath that gives a role: `contains(groups[*], 'ops') && 'Admin' || ... || 'Viewer'`."""
    steps = []
    for role, values in (("Admin", roles.admin), ("Editor", roles.editor)):
        for value in values:
            quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
            test = f"email == {quoted}" if roles.claim == "email" else f"contains(groups[*], {quoted})"
            steps.append(f"{test} && '{role}'")
    return " || ".join([*steps, f"'{roles.otherwise}'"])
