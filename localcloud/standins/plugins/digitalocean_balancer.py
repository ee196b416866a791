"""The digitalocean stand-in: regional load balancers for TCP."""

from __future__ import annotations

import time

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import ApiError, failing, recorded_anyway
from localcloud.standins.plugins.provider import State, Unfinished

MAKING = 600  # seconds
RULE = {
    "entryProtocol": "entry_protocol",
    "entryPort": "entry_port",
    "targetProtocol": "target_protocol",
    "targetPort": "target_port",
    "tlsPassthrough": "tls_passthrough",
}
HEALTH = {
    "protocol": "protocol",
    "port": "port",
    "path": "path",
    "checkIntervalSeconds": "check_interval_seconds",
    "responseTimeoutSeconds": "response_timeout_seconds",
    "unhealthyThreshold": "unhealthy_threshold",
    "healthyThreshold": "healthy_threshold",
}
PLAIN = {
    "name": "name",
    "sizeUnit": "size_unit",
    "dropletTag": "tag",
    "vpcUuid": "vpc_uuid",
    "projectId": "project_id",
    "enableProxyProtocol": "enable_proxy_protocol",
}
READ = {
    **PLAIN,
    "algorithm": "algorithm",
    "ip": "ip",
    "status": "status",
    "redirectHttpToHttps": "redirect_http_to_https",
    "enableBackendKeepalive": "enable_backend_keepalive",
    "disableLetsEncryptDnsRecords": "disable_lets_encrypt_dns_records",
    "httpIdleTimeoutSeconds": "http_idle_timeout_seconds",
}


class LoadBalancer:
    table = tables.LOAD_BALANCER

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating Load Balancer"):
            made = str(self._api.post("/v2/load_balancers", _body(inputs))["load_balancer"]["id"])
        try:
            with failing(f"Error waiting for Load Balancer ({inputs['name']}) to become active"):
                until = time.monotonic() + MAKING
                self._api.wait(urn, f"load balancer {made}", lambda: self._status(made), "active", ("new",), until)
        except (ApiError, RuntimeError, ConnectionError) as error:
            raise Unfinished(str(error), made) from error
        return made, self.read(made, inputs) or {}

    def _status(self, made: str) -> str:
        return str(self._api.get(f"/v2/load_balancers/{made}")["load_balancer"]["status"])

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving Loadbalancer"):
            found = self._api.find(f"/v2/load_balancers/{resource_id}")
        if found is None:
            return None
        one = found["load_balancer"]
        sticky = one.get("sticky_sessions") or {}
        firewall = one.get("firewall") or {}
        return {
            **{ours: one.get(theirs) for ours, theirs in READ.items()},
            "region": one["region"]["slug"],
            "loadBalancerUrn": f"do:loadbalancer:{resource_id}",
            "dropletIds": one.get("droplet_ids") or [],
            "forwardingRules": [
                {ours: rule.get(theirs) for ours, theirs in RULE.items()} for rule in one["forwarding_rules"]
            ],
            "healthcheck": {ours: one["health_check"].get(theirs) for ours, theirs in HEALTH.items()},
            "stickySessions": {
                "type": sticky.get("type", "none"),
                "cookieName": sticky.get("cookie_name", ""),
                "cookieTtlSeconds": sticky.get("cookie_ttl_seconds", 0),
            },
            "firewall": {key: firewall.get(key) or [] for key in ("allows", "denies")},
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        kept = {key: old[key] for key in ("vpcUuid", "projectId", "sizeUnit") if old.get(key)}
        with failing("Error updating Load Balancer"):
            self._api.put(f"/v2/load_balancers/{resource_id}", _body({**kept, **inputs}))
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        try:
            self._api.delete(f"/v2/load_balancers/{resource_id}")
        except ApiError as error:
            if not error.gone:
                raise RuntimeError(f"Error deleting Load Balancer: {error}") from error


def _body(inputs: State) -> State:
    """As the vendor's client sends it, which names every choice."""
    return {
        **{theirs: inputs[ours] for ours, theirs in PLAIN.items() if inputs.get(ours)},
        "region": inputs["region"],
        "algorithm": "round_robin",
        "forwarding_rules": [
            {theirs: rule[ours] for ours, theirs in RULE.items() if rule.get(ours) is not None}
            for rule in inputs["forwardingRules"]
        ],
        "health_check": {
            theirs: inputs["healthcheck"][ours]
            for ours, theirs in HEALTH.items()
            if inputs["healthcheck"].get(ours) is not None
        },
        "disable_lets_encrypt_dns_records": False,
    }
