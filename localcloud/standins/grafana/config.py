"""The part of grafana.ini that the stand-in needs: address, credentials, and the settings that it does not cover.

It is read as Grafana reads it: values may contain `$__file{}`, `$__env{}` and `${VAR}`, and GF_<SECTION>_<KEY> (also
with __FILE) overrides them. Limit: the stand-in reads the password at every start; the real Grafana uses it only when
it creates its database.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_CONFIG = "/etc/grafana/grafana.ini"
DEFAULT_PROVISIONING = "/etc/grafana/provisioning"


class ConfigProblem(Exception):
    """A file that cannot be used. The text names the file, what it contains and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """The section [database] of a PostgreSQL; `host` with its port."""

    host: str
    name: str
    user: str
    password: str = field(repr=False)
    ssl_mode: str
    ca_cert_path: str


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of grafana.ini that the server uses."""

    http_addr: str
    http_port: int
    root_url: str
    admin_user: str
    admin_password: str = field(repr=False)
    log_level: str
    log_json: bool
    router_logging: bool
    provisioning: Path
    not_covered: tuple[str, ...]
    database: Database | None = None  # None: sessions are in memory


def expand(text: str, where: str, env: Mapping[str, str]) -> str:
    """Replace `$__file{path}`, `$__env{NAME}` and `${NAME}`."""

    def one(match: re.Match[str]) -> str:
        kind, name = match.group(1) or "env", match.group(2)
        if kind == "env":
            return env.get(name, "")
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise ConfigProblem(f"{where}: cannot read {name} named by $__file{{}}: {reason}") from None

    return re.sub(r"\$(?:__(file|env))?\{([^}]+)\}", one, text)


class Ini:
    """The values of an ini file, overridden by the environment."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path, self.env = path, env
        self.parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";", "#"))
        try:
            # Grafana's file may begin with keys outside of a section.
            self.parser.read_string("[top]\n" + path.read_text(encoding="utf-8"), source=str(path))
        except OSError as error:
            raise ConfigProblem(f"{path}: cannot be read: {error.strerror}") from None
        except (configparser.Error, UnicodeDecodeError) as error:
            # The parser's message quotes the line, which may contain a password: show only the kind of error.
            line = getattr(error, "lineno", None) or next((n for n, _ in getattr(error, "errors", [])), None)
            at = f" near line {line - 1}" if line else ""
            raise ConfigProblem(f"{path}: not a valid ini file{at} ({type(error).__name__})") from None

    def get(self, section: str, key: str, default: str) -> str:
        """One value, expanded. The environment overrides the file, as in Grafana."""
        where = f"{self.path}: [{section}] {key}"
        name = re.sub(r"[.-]", "_", f"GF_{section}_{key}").upper()
        if name in self.env:
            return self.env[name]
        if name + "__FILE" in self.env:
            return expand(f"$__file{{{self.env[name + '__FILE']}}}", name + "__FILE", self.env)
        raw = self.parser.get(section, key, fallback=None)
        if raw is None:
            return default
        if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'`":
            raw = raw.strip(raw[0])
        return expand(raw, where, self.env)

    def enabled(self, section: str, key: str) -> bool:
        return self.get(section, key, "false").lower() in {"true", "1", "t", "yes", "on"}

    def not_covered(self) -> list[str]:
        """Settings that this stand-in does not support; logged once at start."""
        found = [
            f"[{section}] login by this provider"
            for section in self.parser.sections()
            if section.startswith("auth.") and section != "auth.basic" and self.enabled(section, "enabled")
        ]
        found += [f"[auth] {key}" for key in ("disable_login_form", "oauth_auto_login") if self.enabled("auth", key)]
        return found + [f"[{section}]" for section in ("smtp", "auth.ldap") if self.enabled(section, "enabled")]


def _database(ini: Ini) -> Database | None:
    kind = ini.get("database", "type", "sqlite3")
    if kind == "sqlite3":
        return None
    if kind != "postgres":
        raise ConfigProblem(f"{ini.path}: [database] type: expected postgres or sqlite3, got {kind!r}")
    host = ini.get("database", "host", "127.0.0.1:5432")
    if not host.rpartition(":")[2].isdecimal():
        raise ConfigProblem(f"{ini.path}: [database] host: expected host:port, got {host!r}")
    return Database(
        host=host,
        name=ini.get("database", "name", "grafana"),
        user=ini.get("database", "user", "root"),
        password=ini.get("database", "password", ""),
        ssl_mode=ini.get("database", "ssl_mode", "disable"),
        ca_cert_path=ini.get("database", "ca_cert_path", ""),
    )


def load_config(env: Mapping[str, str] = os.environ) -> Config:
    """The configuration. Raises ConfigProblem."""
    path = Path(env.get("GF_PATHS_CONFIG") or DEFAULT_CONFIG)
    ini = Ini(path, env)
    port = ini.get("server", "http_port", "3000")
    if not port.isdecimal() or int(port) > 65535:
        raise ConfigProblem(f"{path}: [server] http_port: expected a port number, got {port!r}")
    protocol = ini.get("server", "protocol", "http")
    if protocol != "http":
        raise ConfigProblem(f"{path}: [server] protocol: the stand-in speaks http only, got {protocol!r}")
    password = ini.get("security", "admin_password", "")
    if not password:
        raise ConfigProblem(f"{path}: [security] admin_password: expected a value, e.g. $__file{{/path}}; got none")
    provisioning = env.get("GF_PATHS_PROVISIONING") or ini.get("paths", "provisioning", DEFAULT_PROVISIONING)
    root_url = ini.get("server", "root_url", f"http://localhost:{port}/")
    sub_path = ["[server] root_url with a path"] if urlsplit(root_url).path.strip("/") else []
    return Config(
        http_addr=ini.get("server", "http_addr", ""),
        http_port=int(port),
        root_url=root_url,
        admin_user=ini.get("security", "admin_user", "admin"),
        admin_password=password,
        log_level=ini.get("log", "level", "info"),
        log_json=ini.get("log.console", "format", "console") == "json",
        router_logging=ini.enabled("server", "router_logging"),
        provisioning=Path(provisioning),
        not_covered=tuple(ini.not_covered() + sub_path),
        database=_database(ini),
    )
