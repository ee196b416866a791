"""Converts a container's properties to the Engine API's bodies of create and update, and its inspection to properties.

As in the real provider, environment and labels are not read back (the engine merges them with the image's). Ulimits,
devices, ports, log options and PID mode are read back only if the program sets them.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from localcloud.standins.plugins.provider import State

MIB = 1024 * 1024
NANO = 10**9
TIMES = ("interval", "timeout", "startPeriod", "startInterval")
UNITS = {"h": 3600 * NANO, "m": 60 * NANO, "s": NANO, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}


def nanoseconds(text: str) -> int:
    """Nanoseconds of a duration in Go's format: 1m30s, 500ms, 0. Raises ValueError."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)", text)
    if "".join(n + u for n, u in parts) != text and text != "0":
        raise ValueError(f"expected a duration such as 30s or 1m30s, got {text!r}")
    return sum(int(Decimal(n) * UNITS[u]) for n, u in parts)


def duration(nanos: int) -> str:
    """A duration as Go prints it, which a refresh records: 90 s are 1m30s, one minute is 1m0s."""
    if 0 < nanos < NANO:
        unit = next(u for u in ("ms", "us", "ns") if nanos >= UNITS[u])
        return f"{_decimal(Decimal(nanos) / UNITS[unit])}{'µs' if unit == 'us' else unit}"
    minutes, rest = divmod(nanos, UNITS["m"])
    seconds = f"{_decimal(Decimal(rest) / NANO)}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: Decimal) -> str:
    return f"{value.normalize():f}"


def cpus(nanos: int) -> str:
    """CPUs in the format of the real provider: 1 is 1.0, and 0.05 is 0.1, which is a bug of that provider."""
    text = f"{Decimal(nanos) / NANO:.9f}"
    if text.count("0") == 9:
        return str((Decimal(nanos) / NANO).quantize(Decimal("0.1"), ROUND_HALF_UP))
    return text.rstrip("0")


def _bytes(mib: int | None) -> int:
    return (mib or 0) * MIB if (mib or 0) > 0 else mib or 0


def _mib(found: int) -> int:
    return found // MIB if found > 0 else found


def payload(s: State) -> dict[str, Any]:
    """The body of POST /containers/create."""
    body: dict[str, Any] = {
        "Image": s["image"],
        "Cmd": s.get("command"),
        "Entrypoint": s.get("entrypoints"),
        "User": s.get("user", ""),
        "WorkingDir": s.get("workingDir", ""),
        "Hostname": s.get("hostname", ""),
        "Env": s.get("envs"),
        "Labels": {x["label"]: x["value"] for x in s.get("labels", [])},
        "StopSignal": s.get("stopSignal", ""),
        "ExposedPorts": {_port(p): {} for p in s.get("ports", [])},
        "Volumes": {v["containerPath"]: {} for v in s.get("volumes", [])},
        "HostConfig": _host_config(s),
    }
    if s.get("stopTimeout"):
        body["StopTimeout"] = s["stopTimeout"]
    if s.get("healthcheck"):
        body["Healthcheck"] = _healthcheck(s["healthcheck"])
    return body


def _host_config(s: State) -> dict[str, Any]:
    capabilities = s.get("capabilities") or {}
    return {
        **resources(s),
        "NanoCpus": int(Decimal(s.get("cpus") or 0) * NANO),
        "ShmSize": _bytes(s.get("shmSize")),
        "Privileged": s.get("privileged", False),
        "ReadonlyRootfs": s["readOnly"],
        "AutoRemove": s["rm"],
        "Init": s.get("init", False),
        "NetworkMode": s["networkMode"],
        "PidMode": s.get("pidMode", ""),
        "CapAdd": _capabilities(capabilities.get("adds")),
        "CapDrop": _capabilities(capabilities.get("drops")),
        "SecurityOpt": s.get("securityOpts"),
        "GroupAdd": s.get("groupAdds"),
        "Sysctls": s.get("sysctls"),
        "LogConfig": {"Type": s.get("logDriver", ""), "Config": s.get("logOpts")},
        "PortBindings": _bindings(s.get("ports", [])),
        "Dns": s.get("dns"),
        "Tmpfs": s.get("tmpfs"),
        "ExtraHosts": [f"{h['host']}:{h['ip']}" for h in s.get("hosts", [])],
        "Ulimits": [{"Name": u["name"], "Soft": u["soft"], "Hard": u["hard"]} for u in s.get("ulimits", [])],
        "Mounts": [_mount(m) for m in s.get("mounts", [])],
        "Binds": [_bind(v) for v in s.get("volumes", []) if v.get("hostPath") or v.get("volumeName")],
        "Devices": [
            {
                "PathOnHost": d["hostPath"],
                "PathInContainer": d.get("containerPath") or d["hostPath"],
                "CgroupPermissions": d["permissions"],
            }
            for d in s.get("devices", [])
        ],
    }


def resources(s: State) -> dict[str, Any]:
    """The properties that can change in place: part of the create body, and the body of POST /containers/ID/update."""
    found: dict[str, Any] = {
        "RestartPolicy": {"Name": s["restart"], "MaximumRetryCount": s.get("maxRetryCount", 0)},
        "CpuShares": s.get("cpuShares", 0),
        "CpusetCpus": s.get("cpuSet", ""),
        "Memory": _bytes(s.get("memory")),
        "MemoryReservation": _bytes(s.get("memoryReservation")),
    }
    if s.get("memorySwap"):
        found["MemorySwap"] = _bytes(s["memorySwap"])
    return found


def _capabilities(names: list[str] | None) -> list[str] | None:
    """Capabilities as CAP_NAME, the format of Docker's client, which a refresh then finds."""
    found = sorted({n if n.startswith("CAP_") else f"CAP_{n}" for n in map(str.upper, names or [])})
    return ["ALL"] if "CAP_ALL" in found else found or None


def _port(port: State) -> str:
    return f"{port['internal']}/{port['protocol']}"


def _bindings(ports: list[State]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for p in ports:
        found.setdefault(_port(p), []).append({"HostIp": p["ip"], "HostPort": str(p.get("external") or "")})
    return found


def _bind(volume: State) -> str:
    source = volume.get("hostPath") or volume["volumeName"]
    return f"{source}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}"


def _mount(m: State) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": m["type"],
        "Target": m["target"],
        "Source": m.get("source", ""),
        "ReadOnly": m.get("readOnly", False),
    }
    if m["type"] == "bind" and m.get("bindOptions"):
        found["BindOptions"] = {"Propagation": m["bindOptions"].get("propagation", "")}
    if m["type"] == "tmpfs" and m.get("tmpfsOptions"):
        options = m["tmpfsOptions"]
        found["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes", 0), "Mode": options.get("mode", 0)}
    return found


def _healthcheck(h: State) -> dict[str, Any]:
    found: dict[str, Any] = {"Test": h.get("tests"), "Retries": h["retries"]}
    for key in TIMES:
        found[key[0].upper() + key[1:]] = nanoseconds(h[key])
    return found


def endpoint(network: State) -> dict[str, Any]:
    return {"Aliases": network.get("aliases", []), "IPAMConfig": {"IPv4Address": network.get("ipv4Address", "")}}


def observed(found: dict[str, Any], old: State) -> State:
    """The container's state from `docker inspect`; `old`, the recorded state, has the properties that were set."""
    config, host, network = found["Config"], found["HostConfig"], found["NetworkSettings"]
    running = found["State"]["Running"]
    state: State = {
        "name": found["Name"].lstrip("/"),
        "id": found["Id"],
        "bridge": network.get("Bridge", ""),
        "platform": found["Platform"],
        "image": found["Image"] if old.get("image", "").startswith("sha256:") else config["Image"],
        "command": config.get("Cmd") or [],
        "entrypoints": config.get("Entrypoint") or [],
        "user": config["User"],
        "workingDir": config["WorkingDir"],
        "hostname": config["Hostname"],
        "stopSignal": config.get("StopSignal", ""),
        "stopTimeout": config.get("StopTimeout") or 0,
        "networkDatas": _networks(network),
        **_limits(host),
        "restart": host["RestartPolicy"]["Name"],
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "rm": host["AutoRemove"],
        "readOnly": host["ReadonlyRootfs"],
        "privileged": host["Privileged"],
        "init": bool(host.get("Init")),
        "networkMode": host["NetworkMode"],
        "ipcMode": host.get("IpcMode", ""),
        "runtime": host.get("Runtime", ""),
        "dns": host.get("Dns") or [],
        "securityOpts": host.get("SecurityOpt") or [],
        "groupAdds": host.get("GroupAdd") or [],
        "sysctls": host.get("Sysctls") or {},
        "tmpfs": host.get("Tmpfs") or {},
        "hosts": [dict(zip(("host", "ip"), h.split(":")[:2], strict=True)) for h in host.get("ExtraHosts") or []],
        "mounts": [_observed_mount(m) for m in host.get("Mounts") or []],
        "logDriver": host["LogConfig"]["Type"],
    }
    if host.get("CapAdd") or host.get("CapDrop"):
        state["capabilities"] = {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []}
    if config.get("Healthcheck"):
        state["healthcheck"] = _observed_healthcheck(config["Healthcheck"])
    if not running:
        state |= {"exitCode": found["State"]["ExitCode"], "mustRun": False}
    return state | _asked_for(found, old, running)


def _limits(host: dict[str, Any]) -> State:
    state: State = {
        "memory": _mib(host["Memory"]),
        "memoryReservation": _mib(host["MemoryReservation"]),
        "memorySwap": _mib(host["MemorySwap"]),
        "shmSize": _mib(host["ShmSize"]),
        "cpuShares": host["CpuShares"],
        "cpuSet": host["CpusetCpus"],
    }
    if host["NanoCpus"] > 0:
        state["cpus"] = cpus(host["NanoCpus"])
    return state


def _asked_for(found: dict[str, Any], old: State, running: bool) -> State:
    host, state = found["HostConfig"], State()
    if old.get("ports") and (running or old.get("mustRun")):
        state["ports"] = _observed_ports(found["NetworkSettings"].get("Ports") or {})
    if old.get("ulimits"):
        state["ulimits"] = [{"name": u["Name"], "soft": u["Soft"], "hard": u["Hard"]} for u in host["Ulimits"] or []]
    if old.get("devices"):
        named = {d["hostPath"] for d in old["devices"] if d.get("containerPath")}
        state["devices"] = [
            {
                "hostPath": d["PathOnHost"],
                "permissions": d["CgroupPermissions"],
                **({"containerPath": d["PathInContainer"]} if d["PathOnHost"] in named else {}),
            }
            for d in host["Devices"] or []
        ]
    if old.get("logOpts"):
        state["logOpts"] = host["LogConfig"].get("Config") or {}
    if old.get("pidMode"):
        state["pidMode"] = host["PidMode"]
    return state


def _observed_ports(ports: dict[str, Any]) -> list[State]:
    return [
        {
            "internal": int(key.split("/")[0]),
            "protocol": key.split("/")[1],
            "ip": b["HostIp"],
            "external": int(b["HostPort"] or 0),
        }
        for key in sorted(ports, key=lambda k: int(k.split("/")[0]))
        for b in ports[key] or []
    ]


def _observed_mount(m: dict[str, Any]) -> State:
    found: State = {
        "type": m["Type"],
        "target": m["Target"],
        "source": m.get("Source", ""),
        "readOnly": m.get("ReadOnly", False),
    }
    if m.get("BindOptions"):
        found["bindOptions"] = {"propagation": m["BindOptions"].get("Propagation", "")}
    if m.get("TmpfsOptions"):
        found["tmpfsOptions"] = {
            "sizeBytes": m["TmpfsOptions"].get("SizeBytes", 0),
            "mode": m["TmpfsOptions"].get("Mode", 0),
        }
    return found


def _observed_healthcheck(h: dict[str, Any]) -> State:
    times = {k: duration(h.get(k[0].upper() + k[1:], 0)) for k in TIMES}
    return {"tests": h.get("Test") or [], "retries": h.get("Retries", 0), **times}


def _networks(settings: dict[str, Any]) -> list[State]:
    return [
        {
            "networkName": name,
            "ipAddress": n["IPAddress"],
            "ipPrefixLength": n["IPPrefixLen"],
            "gateway": n["Gateway"],
            "globalIpv6Address": n["GlobalIPv6Address"],
            "globalIpv6PrefixLength": n["GlobalIPv6PrefixLen"],
            "ipv6Gateway": n["IPv6Gateway"],
            "macAddress": n["MacAddress"],
        }
        for name, n in sorted((settings.get("Networks") or {}).items())
    ]
