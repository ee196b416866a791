"""Alertmanager's templates of the messages for Slack, mail and PagerDuty, in plain text.

A message has one title; each of its alerts has a summary, a description, and links to its dashboard and its runbook.
"""

from __future__ import annotations

TEMPLATES = """{{/* Messages of fleetwatch. Rendered by fleetwatch. */}}

{{ define "fleetwatch.title" -}}
{{ if eq .Status "firing" }}{{ .Alerts.Firing | len }} firing{{ else }}Resolved{{ end }}: \\
{{ with .CommonLabels.alertname }}{{ . }}{{ else }}several alerts{{ end }}\\
{{ with .CommonLabels.host }} on {{ . }}{{ end }}\\
{{ with .CommonLabels.env }} ({{ . }}){{ end }}
{{- end }}

{{ define "fleetwatch.body" -}}
{{ range .Alerts.Firing -}}
{{ .Annotations.summary }}
{{ .Annotations.description }}
Dashboard: {{ .Annotations.dashboard }}
Runbook: {{ .Annotations.runbook }}

{{ end -}}
{{ range .Alerts.Resolved -}}
Resolved: {{ .Annotations.summary }}
{{ end -}}
{{ end }}

{{ define "fleetwatch.short" -}}
{{ (index .Alerts 0).Annotations.summary }}{{ if gt (len .Alerts) 1 }}, and more{{ end }}
{{- end }}

{{ define "fleetwatch.dashboard" }}{{ (index .Alerts 0).Annotations.dashboard }}{{ end }}
{{ define "fleetwatch.severity" }}{{ or .CommonLabels.severity "critical" }}{{ end }}
""".replace("\\\n", "")  # joins the title to one line

TITLE, BODY, SHORT, DASHBOARD, SEVERITY = (
    f'{{{{ template "fleetwatch.{part}" . }}}}' for part in ("title", "body", "short", "dashboard", "severity")
)
