"""A connection to a Docker Engine on another machine, as Docker's clients open it: `ssh host docker system dial-stdio`.

The error of a failed connection contains ssh's output instead of a broken pipe. As in the real provider, it also
contains the command line with all its options, which therefore must not have a secret.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections import deque
from urllib.parse import urlsplit

TIMEOUT = ("-o", "ConnectTimeout=30")  # unless the options set it
PATIENCE = 10  # seconds within which ssh must exit after its connection failed
KEPT = 40  # lines of ssh's output


def ssh_command(host: str, options: list[str]) -> list[str]:
    """The program and its arguments, in the order of Docker's clients."""
    where = urlsplit(host)
    user = ["-l", where.username] if where.username else []
    port = ["-p", str(where.port)] if where.port else []
    patience = [] if "ConnectTimeout" in "".join(options) else [*TIMEOUT]
    quiet = [] if "-T" in options else ["-T"]
    flags = [*user, *port, *options, *patience, *quiet]
    return ["ssh", *flags, "--", str(where.hostname), "docker", "system", "dial-stdio"]


class Tunnel:
    """One ssh process; `socket` is connected to the engine. `close` ends it."""

    def __init__(self, host: str, options: list[str]) -> None:
        self._command = ssh_command(host, options)
        self.socket, theirs = socket.socketpair()
        with theirs:
            # In a new session: Ctrl-C must not end ssh while Pulumi's engine still uses the connection.
            self._process = subprocess.Popen(
                self._command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
                errors="replace",
            )
        self._said: deque[str] = deque(maxlen=KEPT)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._said.extend(self._process.stderr)

    def failure(self) -> str | None:
        """The reason of a failed connection; None while the process runs or if it exited with 0."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        if code == 0:
            return None
        # A background process of ssh for shared connections may keep its stderr open for longer.
        self._listener.join(1)
        how = f"exit status {code}" if code > 0 else f"signal {-code}"
        return (
            f"command [{' '.join(self._command)}] has exited with {how}, make sure the URL is valid, and Docker 18.09 "
            f"or later is installed on the remote host: stderr={''.join(list(self._said)).strip()}"
        )

    def close(self) -> None:
        self.socket.close()
        self._process.terminate()
        self._process.wait()
