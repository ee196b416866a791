"""Alertmanager's templates of the messages, in plain text and, for services that join lines, in Markdown.

A message has one title; each of its alerts has a summary, a description, and links to its dashboard and its runbook.
Services with short messages get the first alerts only, and the number of the others. A template file of the user that
defines one of these names replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping

FEW = 5  # alerts of a message for a service with a limit of about 4000 characters

TEMPLATES = """{{/* Messages of fleetwatch. Rendered by fleetwatch. */}}

{{ define "fleetwatch.title" -}}
{{ if eq .Status "firing" }}{{ .Alerts.Firing | len }} firing{{ else }}Resolved{{ end }}: \\
{{ with .CommonLabels.alertname }}{{ . }}{{ else }}several alerts{{ end }}\\
{{ with .CommonLabels.host }} on {{ . }}{{ end }}\\
{{ with .CommonLabels.env }} ({{ . }}){{ end }}
{{- end }}

{{/* The title for SNS: its subjects are ASCII and shorter than 100 characters. */}}
{{ define "fleetwatch.subject" -}}
{{ $state := "Resolved" -}}
{{ if eq .Status "firing" }}{{ $state = printf "%d firing" (len .Alerts.Firing) }}{{ end -}}
{{ $host := "" -}}
{{ with .CommonLabels.host }}{{ $host = printf " on %s" . }}{{ end -}}
{{ $whole := printf "%s: %s%s" $state (or .CommonLabels.alertname "several alerts") $host -}}
{{ printf "%.99s" (reReplaceAll "[^ -~]" "?" $whole) }}
{{- end }}

{{ define "fleetwatch.summary" }}{{ or .Annotations.summary .Labels.alertname }}{{ end }}

{{ define "fleetwatch.alert" -}}
{{ template "fleetwatch.summary" . }}
{{ with .Annotations.description }}{{ . }}
{{ end -}}
{{ with .Annotations.dashboard }}Dashboard: {{ . }}
{{ end -}}
{{ with .Annotations.runbook }}Runbook: {{ . }}
{{ end -}}
{{ end }}

{{ define "fleetwatch.body" -}}
{{ range .Alerts.Firing -}}
{{ template "fleetwatch.alert" . }}
{{ end -}}
{{ range .Alerts.Resolved -}}
Resolved: {{ template "fleetwatch.summary" . }}
{{ end -}}
{{ end }}

{{ define "fleetwatch.brief" -}}
{{ range $n, $alert := .Alerts.Firing }}{{ if lt $n FEW -}}
{{ template "fleetwatch.alert" $alert }}
{{ end }}{{ end -}}
{{ range $n, $alert := .Alerts.Resolved }}{{ if lt $n FEW -}}
Resolved: {{ template "fleetwatch.summary" $alert }}
{{ end }}{{ end -}}
{{ template "fleetwatch.more" . }}
{{- end }}

{{ define "fleetwatch.more" -}}
{{ if gt (len .Alerts.Firing) FEW }}FEW of {{ len .Alerts.Firing }} firing alerts are shown.
{{ end -}}
{{ if gt (len .Alerts.Resolved) FEW }}FEW of {{ len .Alerts.Resolved }} resolved alerts are shown.
{{ end -}}
{{ end }}

{{ define "fleetwatch.markdown" -}}
{{ range $n, $alert := .Alerts.Firing }}{{ if lt $n FEW -}}
{{ template "fleetwatch.summary" $alert }}

{{ with .Annotations.description }}{{ . }}

{{ end -}}
{{ with .Annotations.dashboard }}[Dashboard]({{ . }})

{{ end -}}
{{ with .Annotations.runbook }}Runbook: {{ . }}

{{ end -}}
{{ end }}{{ end -}}
{{ range $n, $alert := .Alerts.Resolved }}{{ if lt $n FEW -}}
Resolved: {{ template "fleetwatch.summary" $alert }}

{{ end }}{{ end -}}
{{ template "fleetwatch.more" . }}
{{- end }}

{{ define "fleetwatch.short" -}}
{{ template "fleetwatch.summary" (index .Alerts 0) }}{{ if gt (len .Alerts) 1 }}, and more{{ end }}
{{- end }}

{{ define "fleetwatch.first" -}}
{{ template "fleetwatch.short" . }}
{{ with index .Alerts 0 }}{{ with .Annotations.runbook }}Runbook: {{ . }}
{{ end }}{{ .Annotations.description }}{{ end }}
{{- end }}

{{ define "fleetwatch.dashboard" }}{{ (index .Alerts 0).Annotations.dashboard }}{{ end }}
{{ define "fleetwatch.runbook" }}{{ (index .Alerts 0).Annotations.runbook }}{{ end }}
{{ define "fleetwatch.severity" }}{{ or .CommonLabels.severity "critical" }}{{ end }}
""".replace("\\\n", "").replace("FEW", str(FEW))  # joins the title to one line


def _call(part: str) -> str:
    return f'{{{{ template "fleetwatch.{part}" . }}}}'


TITLE, SUBJECT, BODY, BRIEF, MARKDOWN = map(_call, ("title", "subject", "body", "brief", "markdown"))
SHORT, FIRST, DASHBOARD, RUNBOOK, SEVERITY = map(_call, ("short", "first", "dashboard", "runbook", "severity"))


def by_severity(values: Mapping[str, str], otherwise: str) -> str:
    """A value by the severity that the alerts of a firing message have in common; `otherwise` for the others."""
    cases = "".join(
        f'{{{{ if and (eq .Status "firing") (eq .CommonLabels.severity "{severity}") }}}}{value}{{{{ else }}}}'
        for severity, value in values.items()
    )
    return f"{cases}{otherwise}{'{{ end }}' * len(values)}"
