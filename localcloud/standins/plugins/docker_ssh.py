"""A connection to a Docker Engine on another machine, as Docker's clients make it: `ssh host docker system dial-stdio`.

The output of ssh is kept, so that a failed connection is reported with ssh's message and not as a broken pipe. The
command line with all its options is part of that error, with the real provider too: no secret belongs into them.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections import deque
from urllib.parse import urlsplit

TIMEOUT = ("-o", "ConnectTimeout=30")  # unless an option says otherwise
PATIENCE = 10  # seconds that ssh may take to end after its connection did
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
    """One ssh process; `socket` is the engine's end. Ended by `close`."""

    def __init__(self, host: str, options: list[str]) -> None:
        self._command = ssh_command(host, options)
        self.socket, theirs = socket.socketpair()
        with theirs:
            # In a new session: an interrupt for the engine is not one for the connection it still uses.
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
        """Why there is no connection; None while the process runs or if it ended well."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        if code == 0:
            return None
        # What ssh leaves running for shared connections may hold its stderr open for longer.
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
