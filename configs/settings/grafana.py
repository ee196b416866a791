"""Settings of Grafana: who signs in how, and with which role."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.settings.base import EndpointUrl, Secret, Strict
from configs.settings.text import ClientId, IniText, MailDomain, Organization, Scopes


class Roles(Strict):
    """Who becomes what in Grafana, by a claim of the provider (an email, a group, a team). Others get `otherwise`."""

    claim: Literal["email", "groups"] = "groups"
    admin: list[IniText] = []
    editor: list[IniText] = []
    otherwise: Literal["Viewer", "None"] = "Viewer"


class Google(Strict):
    """Sign-in with Google. Google sends no groups, so roles go by email."""

    client_id: ClientId
    client_secret: Secret
    allowed_domains: Annotated[list[MailDomain], Field(min_length=1)]
    roles: Roles = Roles(claim="email")

    @field_validator("roles", mode="before")
    @classmethod
    def _by_default(cls, raw: Any) -> Any:
        """What `roles` leaves out has the default of Google's own."""
        return {"claim": "email", **raw} if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _by_email(self) -> Google:
        if self.roles.claim == "groups":
            raise ValueError("roles.claim: expected email, Google sends no groups; remove the key")
        return self


class GitHub(Strict):
    """Sign-in with GitHub. Groups are teams, written @organisation/team."""

    client_id: ClientId
    client_secret: Secret
    allowed_organizations: Annotated[list[Organization], Field(min_length=1)]
    roles: Roles = Roles()

    @model_validator(mode="after")
    def _teams(self) -> GitHub:
        for key in ("admin", "editor"):
            for index, name in enumerate(getattr(self.roles, key)):
                if "/" in name and not name.startswith("@"):
                    raise ValueError(f"roles.{key}.{index}: expected a team as @organisation/team; write @ before it")
        return self


class Oidc(Strict):
    """Sign-in with any OpenID Connect provider."""

    name: IniText = "OIDC"
    client_id: ClientId
    client_secret: Secret
    auth_url: EndpointUrl
    token_url: EndpointUrl
    api_url: EndpointUrl
    scopes: Scopes = "openid profile email groups"
    roles: Roles = Roles()


class Auth(Strict):
    """Sign-in besides the admin's password. Several may be given."""

    google: Google | None = None
    github: GitHub | None = None
    oidc: Oidc | None = None


class Grafana(Strict):
    """Grafana's own settings. The admin's password is generated."""

    admin_user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]+$")] = "admin"
    auth: Auth = Auth()
