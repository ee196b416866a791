"""`python -m ask.service --config FILE`: migrate, create the first administrator, serve until SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

import uvicorn
from sqlalchemy.exc import OperationalError

from ask.catalogue import CatalogueError
from ask.service import app, config, metrics, migrate, problems, service
from ask.service.config import ConfigError

PATIENCE = 60.0  # seconds that the database may take to start


def _prepare(made: service.Service) -> None:
    """Wait for the database, which may start at the same time."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            made.prepare()
            return
        except (OperationalError, problems.Problem) as problem:
            if time.monotonic() > deadline:
                at = made.settings.database
                reason = str(getattr(problem, "orig", problem)).strip().splitlines()[0]
                raise ConfigError(f"The database at {at.host}:{at.port} does not answer: {reason}") from None
            time.sleep(1.0)


def main() -> int:
    """Exit code 1 with a sentence if the service cannot start."""
    parser = argparse.ArgumentParser(prog="ask.service", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the settings, a YAML file")
    parser.add_argument("--address", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--metrics-port", type=int, default=metrics.PORT)
    options = parser.parse_args()
    try:
        made = service.build(config.load(options.config))
        made.knowledge.engine  # noqa: B018 - a catalogue that cannot be used ends the start here
        _prepare(made)
    except (ConfigError, CatalogueError, OSError, migrate.SchemaTooNew) as problem:
        print(f"ask: {problem}", file=sys.stderr)
        return 1
    internal = metrics.serve(made.metrics, options.address, options.metrics_port)
    # uvicorn raises the signal again after it has shut down: the exit code is then that of a clean end.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: None)
    uvicorn.run(
        app.create(made),
        host=options.address,
        port=options.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn would take the first address of X-Forwarded-For, which anybody can write
        timeout_graceful_shutdown=20,
        limit_concurrency=200,
        h11_max_incomplete_event_size=32768,
    )
    internal.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
