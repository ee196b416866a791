"""Lines of the hub's parts: which get separate streams, what is left out of Grafana's, and which are no errors.

A query over weeks reads a whole stream. Caddy's few lines about certificates would lie among those of all requests, and
what users do in Grafana among those of every panel that is loaded. The keys of the parsed line decide, never its text:
a stranger writes into it (paths, headers).
"""

from __future__ import annotations

from configs import names
from configs.render.log_stages import CONTAINERS, Stage, match
from configs.secret_paths import REDACTED, SECRET_PATH

# Requests that change nothing although their method may: queries, what the pages do by themselves, keeping a session.
_READS = (
    r"^/(?:api/(?:ds/query|tsdb/query|query-history|frontend-metrics|live/|user/auth-tokens/rotate|dashboards/calculate-"
    r"|datasources/(?:proxy/)?uid/(?:prometheus|loki)/|prometheus/|v1/eval|search)"
    r"|apis/(?:query|features|collections)\.grafana\.app/|log-grafana-javascript-agent|login$)"
)
# Not pages that a user opens: what a page loads.
_PARTS = r"^/(?:api|apis|public|avatar|build|healthz|robots\.txt|favicon\.ico|\.well-known|login|logout)(?:/|$)"
_SIGN_IN = r"^/(?:login/.+|logout)$"
# Sign-ins, accepted or not; what a signed-in user changes; pages that he opens, which show who is signed in.
_AUDIT = (
    "{{ if and .request (or .sign (and .form .writing) (and .user .writing (not .reading))"
    " (and .user (not .writing) (not .part))) }}"
)
# The end of an error that means only that no client waits for the answer: a viewer left a page while it was loading.
_CANCELLED = (
    r"(?i:(?:^|[ :=])(?:context canceled|the request was cancelled by the client)[.\"]?\s*$"
    r"|^rpc error: code = Canceled desc = )"
)
# Loki's querier about the same, in a separate line.
_UNSENT = "^error notifying scheduler about finished query$"
# Two lines of Loki for every part of a query, because retention is on and deletion by request is not.
_NO_DELETION = "deletion is not available for this tenant$"


def stages(prefix: str) -> tuple[Stage, ...]:
    """For lines of the hub's containers: their job and level, and what is left out."""
    return (
        _of_container(prefix, "caddy", *_caddy(), *_cancelled("json")),
        _of_container(prefix, "grafana", *_redact(), *_cancelled("json"), *_grafana()),
        _of_container(prefix, "loki", *_cancelled("logfmt"), *_loki()),
        _of_container(prefix, "alertmanager", _redact_bot_token(), *_cancelled("logfmt")),
        _of_container(prefix, "prometheus", *_cancelled("logfmt")),
    )


def others(inner: tuple[Stage, ...]) -> Stage:
    """`inner` for all other lines of containers: filters of the user do not apply to the streams above."""
    return match(CONTAINERS, *inner)


def _of_container(prefix: str, role: str, *inner: Stage) -> Stage:
    return match(f'{{container="{names.container(prefix, role)}"}}', *inner)


def _caddy() -> list[Stage]:
    return [
        _json("logger"),
        _found("certificates", "logger", r"^tls(?:\.|$)"),
        *_job("{{ if .certificates }}", names.CERTIFICATES_JOB),
    ]


def _redact() -> list[Stage]:
    """Grafana logs the path of a request, and the whole URL of the page that it came from."""
    secrets = (
        SECRET_PATH + r'([^"/?\s\\]+)',
        r'"referer":\s*"[^"?]*[?]((?:[^"\\]|\\.)+)"',
        r'(?i:[?&](?:code|state|auth_token|token)=)([^&"\s\\]+)',
    )
    return [Stage("replace", {"expression": expression, "replace": REDACTED}) for expression in secrets]


def _redact_bot_token() -> Stage:
    """Telegram's token is a part of the address, which Alertmanager logs when it cannot reach Telegram."""
    return Stage("replace", {"expression": r"/bot([^/\s\"]+)/sendMessage", "replace": REDACTED})


def _grafana() -> list[Stage]:
    """A request that is not part of the audit log is dropped if Grafana would not log it by default."""
    return [
        _json("msg", "uname", "method", "path", "status"),
        _found("request", "msg", "^Request Completed$"),
        _found("user", "uname", "^.+$"),
        _found("writing", "method", "^(?:POST|PUT|PATCH|DELETE)$"),
        _found("reading", "path", _READS),
        _found("part", "path", _PARTS),
        _found("sign", "path", _SIGN_IN),
        _found("form", "path", "^/login$"),
        _found("usual", "status", "^(?:200|304)$"),
        *_job(_AUDIT, names.AUDIT_JOB),
        Stage(
            "template",
            {
                "source": "dropped",
                "template": f'{{{{ if and .request .usual (eq .job "{names.DOCKER_JOB}") }}}}yes{{{{ end }}}}',
            },
        ),
        Stage("drop", {"source": "dropped", "expression": "^yes$", "drop_counter_reason": "grafana_request"}),
    ]


def _cancelled(form: str) -> list[Stage]:
    """Errors of cancelled queries get the level info, so that no panel and no alert counts them as errors."""
    keys = {key: key for key in ("err", "error")}
    return [
        Stage(form, {"expressions" if form == "json" else "mapping": keys}),
        *(_found("cancelled", key, _CANCELLED) for key in keys),
        _info_if(".cancelled"),
    ]


def _loki() -> list[Stage]:
    reason = {"drop_counter_reason": "loki_no_deletion"}
    return [
        Stage("logfmt", {"mapping": {"msg": "msg"}}),
        _found("unsent", "msg", _UNSENT),
        _found("ended", "err", "^EOF$"),
        _info_if("and .unsent .ended"),
        Stage("drop", {"source": "err", "expression": _NO_DELETION, **reason}),
    ]


def _info_if(condition: str) -> Stage:
    template = f"{{{{ if {condition} }}}}info{{{{ else }}}}{{{{ .Value }}}}{{{{ end }}}}"
    return Stage("template", {"source": "level", "template": template})


def _json(*keys: str) -> Stage:
    return Stage("json", {"expressions": {key: key for key in keys}})


def _found(name: str, source: str, expression: str) -> Stage:
    """Sets `name` if the value of `source` matches."""
    return Stage("regex", {"source": source, "expression": f"(?P<{name}>{expression})"})


def _job(condition: str, name: str) -> tuple[Stage, Stage]:
    """The job `name` for lines for which `condition` holds, else that of all containers."""
    template = f"{condition}{name}{{{{ else }}}}{names.DOCKER_JOB}{{{{ end }}}}"
    return Stage("template", {"source": "job", "template": template}), Stage("labels", {"values": {"job": "job"}})
