"""Whether a vendor's address can be reached, checked once per run; a "no" is remembered for some minutes.

Any HTTP answer counts (registries say 401). A remembered "no" keeps later runs quick where packets are dropped.
"""

from __future__ import annotations

import functools
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from tools.paths import cache_dir

TIMEOUT = 5.0
REMEMBER_NO = 15 * 60
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def without_proxy() -> urllib.request.OpenerDirector:
    """For addresses of this machine, regardless of http_proxy."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def opener_for(url: str) -> urllib.request.OpenerDirector:
    """An address of this machine's loopback is reached directly, any other through the proxy of the environment."""
    return without_proxy() if urllib.parse.urlsplit(url).hostname in LOOPBACK else urllib.request.build_opener()


@functools.cache
def reachable(url: str) -> bool:
    """True if the address answers HTTP within five seconds; always False with FLEETWATCH_OFFLINE=1."""
    if os.environ.get("FLEETWATCH_OFFLINE") == "1":
        return False
    mark = cache_dir("unreachable") / url.split("//")[1].split("/")[0].replace(":", "_")
    if mark.exists() and time.time() - mark.stat().st_mtime < REMEMBER_NO:
        return False
    try:
        opener_for(url).open(url, timeout=TIMEOUT).close()
    except urllib.error.HTTPError:
        pass
    except (OSError, ValueError):
        mark.touch()
        return False
    mark.unlink(missing_ok=True)
    return True
