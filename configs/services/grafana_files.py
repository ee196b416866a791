"""Files that Grafana provisions itself from: data sources, and where the dashboards are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs import names
from configs.render.dump import to_yaml
from configs.services.caddy.reading import ALERTMANAGER

if TYPE_CHECKING:
    from configs.settings import Settings

# What Grafana 9 to 13 looks for besides data sources and dashboards.
UNUSED = ("alerting", "plugins")
SOURCE = 15  # seconds: the scrape interval that Grafana assumes for a query without its own


def data_sources(settings: Settings) -> str:
    """provisioning/datasources: Prometheus, Loki, and Alertmanager so that alerts are silenced in Grafana.

    All through Caddy's reading side: Grafana passes requests of any signed-in user on to a data source.
    """
    reading = names.address(settings.prefix, "caddy", names.CADDY_SOURCES_PORT)
    return to_yaml(
        {
            "apiVersion": 1,
            "prune": True,
            "datasources": [
                _source(
                    "Prometheus",
                    "prometheus",
                    reading,
                    {
                        "httpMethod": "POST",
                        "manageAlerts": True,
                        "alertmanagerUid": "alertmanager",
                        "timeInterval": f"{SOURCE}s",
                    },
                    default=True,
                ),
                _source("Loki", "loki", reading, {"maxLines": 1000}),
                _source(
                    "Alertmanager",
                    "alertmanager",
                    reading + ALERTMANAGER,
                    {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
                ),
            ],
        },
        "Data sources of Grafana, rendered by fleetwatch",
    )


def nothing_of(kind: str) -> str:
    """provisioning/<kind> with nothing: Grafana logs an error at each start if the folder of a kind that it knows is
    missing."""
    return to_yaml({"apiVersion": 1}, f"No {kind}, rendered by fleetwatch")


def dashboard_provider(folder: str, name: str = "fleetwatch", title: str = "fleetwatch") -> str:
    """provisioning/dashboards: the `folder` that Grafana reads dashboards from, read-only in its pages. `title`: of
    the folder in Grafana."""
    return to_yaml(
        {
            "apiVersion": 1,
            "providers": [
                {
                    "name": name,
                    "folder": title,
                    "type": "file",
                    "allowUiUpdates": False,
                    "updateIntervalSeconds": 10,
                    "options": {"path": folder},
                }
            ],
        }
    )


def _source(name: str, kind: str, address: str, options: dict[str, Any], default: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "uid": kind,
        "type": kind,
        "access": "proxy",
        "url": f"http://{address}",
        "editable": False,
        **({"isDefault": True} if default else {}),
        "jsonData": options,
    }
