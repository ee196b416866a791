"""Facts about the DigitalOcean API v2: the fields, types and codes of the routes that the rehearsal cloud serves.

Our own table, written from the public specification (openapi.yaml of DigitalOcean, Apache-2.0); it has no text of it.
A field is `name:type`, with `!` after the name where the specification requires it and `~` after the type where null
is allowed. Types: int num str bool time uuid ipv4 map any, a|b|c for words, [type] for lists, @shape for a shape.
test_contract.py compares every answer with it, and, given the specification itself, with that as well.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_DISTRIBUTIONS = "Debian|Ubuntu|Fedora|CentOS|Rocky-Linux"

SHAPES = {
    "account": """droplet_limit!:int floating_ip_limit!:int email!:str name:str uuid!:str email_verified!:bool
        status!:active|warning|locked status_message!:str team:@team""",
    "team": "uuid:str name:str",
    "key": "id:int fingerprint:str public_key!:str name!:str",
    "region": "name!:str slug!:str features!:[str] available!:bool sizes!:[str]",
    "size": """slug!:str memory!:int vcpus!:int disk!:int transfer!:num price_monthly!:num price_hourly!:num
        regions!:[str] available!:bool description!:str disk_info:[@disk]""",
    "disk": "type:local|scratch|boot size:@amount",
    "amount": "amount:int unit:str",
    "image": f"""id:int name:str type:base|snapshot|backup|custom|admin distribution:{_DISTRIBUTIONS} slug:str~
        public:bool regions:[str] created_at:time min_disk_size:int~ size_gigabytes:num~ description:str tags:[str]~
        status:NEW|available|pending|deleted|retired error_message:str""",
    "vpc": """id:uuid urn:str name:str description:str region:str ip_range:str default:bool created_at:time""",
    "member": "urn:str name:str created_at:str",
    "tag": "name:str resources:@tagged",
    "tagged": """count:int last_tagged_uri:str droplets:@count images:@count volumes:@count volume_snapshots:@count
        databases:@count""",
    "count": "count:int last_tagged_uri:str",
    "droplet": """id!:int name!:str memory!:int vcpus!:int disk!:int disk_info:[@disk] locked!:bool
        status!:new|active|off|archive kernel:map~ created_at!:time features!:[str] backup_ids!:[int]
        next_backup_window!:map~ snapshot_ids!:[int] image!:@image volume_ids!:[str] size!:@size size_slug!:str
        networks!:@networks region!:@region tags!:[str] vpc_uuid:str""",
    "networks": "v4:[@network] v6:[map]",
    "network": "ip_address:ipv4 netmask:ipv4 gateway:str type:public|private",
    "action": """id:int status:in-progress|completed|errored type:str started_at:time completed_at:time~
        resource_id:int~ resource_type:str region:@region region_slug:str~""",
    "ip_action": """id:int status:in-progress|completed|errored type:str started_at:time completed_at:time~
        resource_id:int~ resource_type:str region:@region region_slug:str~ project_id:uuid""",
    "policy": "droplet_id:int backup_enabled:bool backup_policy:map next_backup_window:map~",
    "volume": """id:str droplet_ids:[int]~ name:str description:str size_gigabytes:int created_at:str tags:[str]~
        region:@region filesystem_type:str filesystem_label:str""",
    "reserved_ip": "ip:ipv4 region:@region droplet:@droplet~ locked:bool project_id:uuid",
    "firewall": """id:str status:waiting|succeeded|failed created_at:time pending_changes:[map] name:str
        droplet_ids:[int]~ tags:[str]~ inbound_rules:[@in]~ outbound_rules:[@out]~""",
    "in": "protocol!:tcp|udp|icmp ports!:str sources!:@peers",
    "out": "protocol!:tcp|udp|icmp ports!:str destinations!:@peers",
    "peers": "addresses:[str] droplet_ids:[int] load_balancer_uids:[str] kubernetes_ids:[str] tags:[str]~",
    "balancer": """id:uuid name:str ip:str ipv6:str size_unit:int size:lb-small|lb-medium|lb-large project_id:uuid
        algorithm:round_robin|least_connections status:new|active|errored created_at:time forwarding_rules!:[@forward]
        health_check:@health sticky_sessions:map region:@region tag:str droplet_ids:[int] redirect_http_to_https:bool
        enable_proxy_protocol:bool enable_backend_keepalive:bool http_idle_timeout_seconds:int vpc_uuid:uuid
        disable_lets_encrypt_dns_records:bool network:EXTERNAL|INTERNAL network_stack:IPV4|DUALSTACK
        type:REGIONAL|REGIONAL_NETWORK|GLOBAL""",
    "forward": """entry_protocol!:http|https|http2|http3|tcp|udp entry_port!:int
        target_protocol!:http|https|http2|tcp|udp target_port!:int certificate_id:str tls_passthrough:bool""",
    "health": """protocol:http|https|tcp port:int path:str check_interval_seconds:int response_timeout_seconds:int
        unhealthy_threshold:int healthy_threshold:int""",
    "domain": "name:str ttl:int~ zone_file:str~",
    "record": """id:int type!:str name:str data:str priority:int~ port:int~ ttl:int weight:int~ flags:int~ tag:str~""",
    "project": """id:uuid owner_uuid:str owner_id:int name:str description:str purpose:str
        environment:Development|Staging|Production created_at:time updated_at:time is_default:bool""",
    "resource": "urn:urn assigned_at:time links:@self status:ok|not_found|assigned|already_assigned|service_down",
    "self": "self:str",
    "check": "id:uuid name:str type:ping|http|https target:str regions:[us_east|us_west|eu_west|se_asia] enabled:bool",
    "alert": """id:uuid name:str type:latency|down|down_global|ssl_expiry threshold:int
        comparison:greater_than|less_than notifications:@notified period:2m|3m|5m|10m|15m|30m|1h""",
    "spaces_key": "name:str access_key:str created_at:time grants:[@grant]",
    "spaces_secret": "name:str access_key:str created_at:time grants:[@grant] secret_key:str",
    "grant": "bucket!:str permission!:str",
    "database": """id:uuid name!:str engine!:pg version:str semantic_version:str num_nodes!:int size!:str region!:str
        status:creating|online|resizing|migrating|forking created_at:time private_network_uuid:uuid tags:[str]~
        db_names:[str]~ connection:@connection private_connection:@connection users:[@db_user]~ project_id:uuid
        rules:[@source] storage_size_mib:int metrics_endpoints:[map]""",
    "connection": "uri:str database:str host:str port:int user:str password:str ssl:bool",
    "db_user": "name!:str role:primary|normal password:str",
    "source": """uuid:uuid cluster_uuid:uuid type!:droplet|k8s|ip_addr|tag|app value!:str created_at:time
        description:str""",
    "db": "name!:str",
    "ca": "certificate!:str",
    "notified": "email!:[str] slack!:[@slack]",
    "slack": "channel!:str url!:str",
    "links": "pages:@pages",
    "pages": "first:str prev:str next:str last:str",
    "meta": "total!:int",
    "made": "actions:[@link] droplets:[@link]",
    "link": "id:int rel:str href:str",
    "error": "id!:str message!:str request_id:str",
    "tag_error": "error!:str messages:[str]~ root_causes!:[str]",
    # What is sent.
    "new_key": "name!:str public_key!:str id:int fingerprint:str",
    "named": "name:str",
    "new_vpc": "name:str description:str region:str ip_range:str",
    "vpc_change": "name:str description:str default:bool",
    "new_droplet": """name:str names:[str] region:str size!:str image!:any ssh_keys:[any] backups:bool ipv6:bool
        monitoring:bool tags:[str]~ user_data:str volumes:[str] vpc_uuid:str with_droplet_agent:bool
        private_networking:bool backup_policy:map public_networking:bool""",
    "droplet_action": "type!:str size:str disk:bool name:str backup_policy:map",
    "new_volume": """name!:str size_gigabytes!:int region!:str description:str filesystem_type:str
        filesystem_label:str snapshot_id:str tags:[str]~""",
    "volume_action": """type!:attach|detach|resize region:str droplet_id:int size_gigabytes:int volume_name:str
        tags:[str]~""",
    "new_ip": "region:str project_id:uuid droplet_id:int",
    "ip_action_wanted": "type!:assign|unassign droplet_id:int",
    "new_firewall": "name!:str droplet_ids:[int]~ tags:[str]~ inbound_rules:[@in]~ outbound_rules:[@out]~",
    "rules": "inbound_rules:[@in]~ outbound_rules:[@out]~",
    "ids": "droplet_ids!:[int]",
    "tags": "tags!:[str]~",
    "tagging": "resources!:[@bearer]",
    "bearer": "resource_id:str resource_type:droplet|image|volume|volume_snapshot",
    "new_balancer": """name:str project_id:str region:str size_unit:int algorithm:round_robin|least_connections tag:str
        droplet_ids:[int] forwarding_rules!:[@forward] health_check:@health enable_proxy_protocol:bool vpc_uuid:uuid
        disable_lets_encrypt_dns_records:bool""",
    "new_domain": "name:str ip_address:str",
    "new_database": """name!:str engine!:pg version:str num_nodes!:int size!:str region!:str private_network_uuid:uuid
        tags:[str]~ project_id:uuid""",
    "resize": "size!:str num_nodes!:int",
    "sources": "rules:[@source]",
    "urns": "resources:[str]",
}

# path: key of one, key of many, shape, {method: (shape sent, code)}; `one` paths end with an id.
_FAMILIES: list[tuple[str, str, str, str, dict[str, tuple[str, int]]]] = [
    ("/v2/account/keys", "ssh_key", "ssh_keys", "key", {"POST": ("new_key", 201), "PUT": ("named", 200)}),
    (
        "/v2/vpcs",
        "vpc",
        "vpcs",
        "vpc",
        {"POST": ("new_vpc", 201), "PUT": ("vpc_change", 200), "PATCH": ("vpc_change", 200)},
    ),
    ("/v2/tags", "tag", "tags", "tag", {"POST": ("named", 201)}),
    ("/v2/volumes", "volume", "volumes", "volume", {"POST": ("new_volume", 201)}),
    (
        "/v2/firewalls",
        "firewall",
        "firewalls",
        "firewall",
        {"POST": ("new_firewall", 202), "PUT": ("new_firewall", 200)},
    ),
    (
        "/v2/load_balancers",
        "load_balancer",
        "load_balancers",
        "balancer",
        {"POST": ("new_balancer", 202), "PUT": ("new_balancer", 200)},
    ),
    ("/v2/domains", "domain", "domains", "domain", {"POST": ("new_domain", 201)}),
    (
        "/v2/domains/*/records",
        "domain_record",
        "domain_records",
        "record",
        {"POST": ("record", 201), "PUT": ("record", 200), "PATCH": ("record", 200)},
    ),
    (
        "/v2/projects",
        "project",
        "projects",
        "project",
        {"POST": ("project", 201), "PUT": ("project", 200), "PATCH": ("project", 200)},
    ),
    ("/v2/uptime/checks", "check", "checks", "check", {"POST": ("check", 201), "PUT": ("check", 200)}),
    ("/v2/uptime/checks/*/alerts", "alert", "alerts", "alert", {"POST": ("alert", 201), "PUT": ("alert", 200)}),
]


def _many(key: str, shape: str) -> str:
    return f"{key}!:[@{shape}] links:@links meta!:@meta"


# (method, path with * for ids): (shape sent or "", code of success, fields of the answer)
ROUTES: dict[tuple[str, str], tuple[str, int, str]] = {
    ("GET", "/v2/account"): ("", 200, "account!:@account"),
    ("GET", "/v2/regions"): ("", 200, _many("regions", "region")),
    ("GET", "/v2/sizes"): ("", 200, _many("sizes", "size")),
    ("GET", "/v2/images"): ("", 200, _many("images", "image")),
    ("GET", "/v2/images/*"): ("", 200, "image!:@image"),
    ("GET", "/v2/vpcs/*/members"): ("", 200, _many("members", "member")),
    ("GET", "/v2/spaces/keys"): ("", 200, _many("keys", "spaces_key")),
    ("POST", "/v2/spaces/keys"): ("spaces_key", 201, "key:@spaces_secret"),
    ("PUT", "/v2/spaces/keys/*"): ("spaces_key", 200, "key:@spaces_key"),
    ("DELETE", "/v2/spaces/keys/*"): ("", 204, ""),
    ("GET", "/v2/databases"): ("", 200, "databases!:[@database]"),
    ("POST", "/v2/databases"): ("new_database", 201, "database!:@database"),
    ("GET", "/v2/databases/*"): ("", 200, "database!:@database"),
    ("DELETE", "/v2/databases/*"): ("", 204, ""),
    ("PUT", "/v2/databases/*/resize"): ("resize", 202, ""),
    ("GET", "/v2/databases/*/ca"): ("", 200, "ca!:@ca"),
    ("GET", "/v2/databases/*/dbs"): ("", 200, "dbs:[@db]"),
    ("POST", "/v2/databases/*/dbs"): ("db", 201, "db!:@db"),
    ("GET", "/v2/databases/*/dbs/*"): ("", 200, "db!:@db"),
    ("DELETE", "/v2/databases/*/dbs/*"): ("", 204, ""),
    ("GET", "/v2/databases/*/firewall"): ("", 200, "rules:[@source]"),
    ("PUT", "/v2/databases/*/firewall"): ("sources", 204, ""),
    ("POST", "/v2/tags/*/resources"): ("tagging", 204, ""),
    ("DELETE", "/v2/tags/*/resources"): ("tagging", 204, ""),
    ("GET", "/v2/droplets"): ("", 200, _many("droplets", "droplet")),
    ("POST", "/v2/droplets"): ("new_droplet", 202, "droplet:@droplet droplets:[@droplet] links!:@made"),
    ("GET", "/v2/droplets/*"): ("", 200, "droplet!:@droplet"),
    ("DELETE", "/v2/droplets/*"): ("", 204, ""),
    ("GET", "/v2/droplets/*/firewalls"): ("", 200, _many("firewalls", "firewall")),
    ("GET", "/v2/droplets/*/backups"): ("", 200, _many("backups", "self")),
    ("GET", "/v2/droplets/*/snapshots"): ("", 200, _many("snapshots", "self")),
    ("GET", "/v2/droplets/*/backups/policy"): ("", 200, "policy!:@policy"),
    ("GET", "/v2/droplets/*/actions"): ("", 200, _many("actions", "action")),
    ("POST", "/v2/droplets/*/actions"): ("droplet_action", 201, "action!:@action"),
    ("GET", "/v2/droplets/*/actions/*"): ("", 200, "action!:@action"),
    ("GET", "/v2/actions"): ("", 200, _many("actions", "action")),
    ("GET", "/v2/actions/*"): ("", 200, "action!:@action"),
    ("DELETE", "/v2/volumes"): ("", 204, ""),
    ("GET", "/v2/volumes/*/snapshots"): ("", 200, _many("snapshots", "self")),
    ("GET", "/v2/snapshots"): ("", 200, _many("snapshots", "self")),
    ("POST", "/v2/volumes/actions"): ("volume_action", 202, "action!:@action"),
    ("GET", "/v2/volumes/*/actions"): ("", 200, _many("actions", "action")),
    ("POST", "/v2/volumes/*/actions"): ("volume_action", 202, "action!:@action"),
    ("GET", "/v2/volumes/*/actions/*"): ("", 200, "action!:@action"),
    ("GET", "/v2/reserved_ips"): ("", 200, _many("reserved_ips", "reserved_ip")),
    ("POST", "/v2/reserved_ips"): ("new_ip", 202, "reserved_ip!:@reserved_ip links!:@made"),
    ("GET", "/v2/reserved_ips/*"): ("", 200, "reserved_ip!:@reserved_ip"),
    ("DELETE", "/v2/reserved_ips/*"): ("", 204, ""),
    ("GET", "/v2/reserved_ips/*/actions"): ("", 200, _many("actions", "action")),
    ("POST", "/v2/reserved_ips/*/actions"): ("ip_action_wanted", 201, "action!:@ip_action"),
    ("GET", "/v2/reserved_ips/*/actions/*"): ("", 200, "action!:@ip_action"),
    ("POST", "/v2/firewalls/*/droplets"): ("ids", 204, ""),
    ("DELETE", "/v2/firewalls/*/droplets"): ("ids", 204, ""),
    ("POST", "/v2/firewalls/*/tags"): ("tags", 204, ""),
    ("DELETE", "/v2/firewalls/*/tags"): ("tags", 204, ""),
    ("POST", "/v2/firewalls/*/rules"): ("rules", 204, ""),
    ("DELETE", "/v2/firewalls/*/rules"): ("rules", 204, ""),
    ("GET", "/v2/projects/*/resources"): ("", 200, _many("resources", "resource")),
    ("POST", "/v2/projects/*/resources"): ("urns", 200, "resources!:[@resource] links:@links meta:@meta"),
}
for _path, _one, _all, _shape, _sent in _FAMILIES:
    ROUTES["GET", _path] = ("", 200, _many(_all, _shape))
    ROUTES["GET", f"{_path}/*"] = ("", 200, f"{_one}!:@{_shape}")
    ROUTES["DELETE", f"{_path}/*"] = ("", 204, "")
    for _method, (_body, _code) in _sent.items():
        ROUTES[_method, _path if _method == "POST" else f"{_path}/*"] = (_body, _code, f"{_one}!:@{_shape}")

_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "num": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    "uuid": {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "ipv4": {"type": "string", "format": "ipv4"},
    "urn": {
        "type": "string",
        "pattern": "^do:(dbaas|domain|droplet|floatingip|loadbalancer|space|volume|kubernetes|vpc):",
    },
    "map": {"type": "object"},
    "any": {},
}


@cache
def schema(fields: str) -> dict[str, Any]:
    """The JSON schema of a list of fields. A field that is not listed is an error: nothing may be invented."""
    properties, required = {}, []
    for field in fields.split():
        name, _, kind = field.partition(":")
        if name.endswith("!"):
            name = name[:-1]
            required.append(name)
        properties[name] = _type(kind)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _type(kind: str) -> dict[str, Any]:
    if kind.endswith("~"):
        return {"anyOf": [{"type": "null"}, _type(kind[:-1])]}
    if kind.startswith("["):
        return {"type": "array", "items": _type(kind[1:-1])}
    if kind.startswith("@"):
        return schema(SHAPES[kind[1:]])
    return _TYPES[kind] if kind in _TYPES else {"enum": kind.split("|")}


def row(method: str, path: str) -> tuple[str, int, str]:
    """The row of a route by a path with its ids."""
    best = [key for key in ROUTES if key[0] == method and _matches(key[1], path)]
    return ROUTES[min(best, key=lambda key: key[1].count("*"))]


def _matches(pattern: str, path: str) -> bool:
    ours, theirs = pattern.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(o in ("*", t) for o, t in zip(ours, theirs, strict=True))
