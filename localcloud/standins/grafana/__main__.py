"""Start: read the files, say what is not covered, listen. A file that cannot be used ends it with exit code 1."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from . import BANNER, VERSION
from .config import ConfigProblem, load_config
from .log import configure, log
from .provisioning import Store
from .server import Server
from .sessions import DatabaseAway


def _stop(signum: int, frame: FrameType | None) -> None:
    log("info", "server", "stopped", signal=signal.Signals(signum).name)
    os._exit(0)  # at once: nothing is kept that would need saving


def main() -> int:
    """Serve until a signal."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        config = load_config()
        configure(config.log_level, config.log_json)
        log("warn", "server", BANNER, version=VERSION)
        store = Store(config.provisioning)
        server = Server(config, store)
    except ConfigProblem as problem:
        log("error", "provisioning", str(problem))
        return 1
    except DatabaseAway as problem:
        log("error", "sqlstore", str(problem))
        return 1
    except OSError as error:
        log("error", "http.server", f"cannot listen on port {config.http_port}: {error.strerror}")
        return 1
    if config.database is not None:
        log("info", "sqlstore", "sessions are in PostgreSQL, nothing else is", host=config.database.host)
    for item in config.not_covered:
        log("warn", "settings", "not covered by the stand-in", setting=item)
    for source in store.sources.values():
        log("info", "provisioning.datasources", "data source", uid=source.uid, type=source.type)
    for board in store.dashboards.values():
        log("info", "provisioning.dashboard", "dashboard", uid=board.uid, title=board.title)
    log("info", "http.server", "HTTP Server Listen", address=f"{config.http_addr}:{server.server_port}")
    server.serve_forever(poll_interval=5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
