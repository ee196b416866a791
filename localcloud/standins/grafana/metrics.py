"""/metrics: what this process really measured. Names of Grafana's own are used only where the thing is the same."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections import Counter

BUCKETS = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 25.0)
_STARTED = time.time()


class Metrics:
    """Counters and one histogram, safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logins: Counter[str] = Counter({"accepted": 0, "refused": 0})
        self._requests: dict[tuple[str, str, int], list[float]] = {}

    def login(self, accepted: bool) -> None:
        with self._lock:
            self._logins["accepted" if accepted else "refused"] += 1

    def request(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Per bucket counts, then count and sum."""
        with self._lock:
            row = self._requests.setdefault((handler, method, status), [0.0] * (len(BUCKETS) + 2))
            for number, bound in enumerate(BUCKETS):
                row[number] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def _histogram(self) -> list[str]:
        name = "grafana_http_request_duration_seconds"
        out = [f"# HELP {name} Time to answer a request.", f"# TYPE {name} histogram"]
        for (handler, method, status), row in sorted(self._requests.items()):
            labels = f'handler="{handler}",method="{method}",status_code="{status}"'
            bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
            out += [f'{name}_bucket{{{labels},le="{le}"}} {int(n)}' for le, n in zip(bounds, row, strict=False)]
            out += [f"{name}_sum{{{labels}}} {row[-1]:.6f}", f"{name}_count{{{labels}}} {int(row[-2])}"]
        return out

    def text(self, dashboards: int, sources: int) -> str:
        """The Prometheus text format."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with open("/proc/self/statm", encoding="ascii") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        plain = [
            ("grafana_standin_up", "gauge", "1: this is the stand-in, not Grafana.", "", 1.0),
            ("grafana_standin_dashboards", "gauge", "Dashboards parsed.", "", float(dashboards)),
            ("grafana_standin_datasources", "gauge", "Data sources parsed.", "", float(sources)),
            ("process_start_time_seconds", "gauge", "Start of the process.", "", _STARTED),
            ("process_resident_memory_bytes", "gauge", "Resident memory.", "", float(resident)),
            ("process_cpu_seconds_total", "counter", "CPU time.", "", usage.ru_utime + usage.ru_stime),
            ("process_open_fds", "gauge", "Open files.", "", float(len(os.listdir("/proc/self/fd")))),
        ]
        with self._lock:
            logins = sorted(self._logins.items())
            lines = self._histogram()
        for name, kind, text, labels, value in plain:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name}{labels} {value}"]
        lines += ["# HELP grafana_standin_logins_total Log-ins.", "# TYPE grafana_standin_logins_total counter"]
        lines += [f'grafana_standin_logins_total{{result="{result}"}} {count}' for result, count in logins]
        return "\n".join(lines) + "\n"
