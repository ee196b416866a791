"""Samples pushed to a Prometheus by remote write 1.0, for measurements. Written by hand: the message is this small.

The body has to be in Snappy's block format; a block may consist of literals alone, which is what is written here. Field
numbers: prompb/remote.proto and types.proto of Prometheus; literals: format_description.txt of Snappy.
"""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.net import without_proxy

_OPENER = without_proxy()
_LITERAL = 65536  # bytes of one literal: its length in two bytes
BATCH = 2_000_000  # bytes of one push


class Series:
    """One series of one value that never changes; encoded once, since the same again and again is pushed."""

    def __init__(self, labels: Mapping[str, str], value: float) -> None:
        pairs = (_field(1, key.encode()) + _field(2, text.encode()) for key, text in sorted(labels.items()))
        self.labels = b"".join(_field(1, pair) for pair in pairs)
        self.value = b"\x09" + struct.pack("<d", value)

    def at(self, times: Sequence[bytes]) -> bytes:
        """The series with a sample at each of the `stamps`."""
        samples = b"".join(_field(2, self.value + stamp) for stamp in times)
        return _field(1, self.labels + samples)


def stamps(seconds: Iterable[float]) -> list[bytes]:
    """Times, encoded once for all series."""
    return [b"\x10" + _varint(int(one * 1000)) for one in seconds]


def push(url: str, series: Iterable[Series], seconds: Iterable[float], patience: float = 120) -> int:
    """Push samples at these times of each series; their number. Raises urllib's error if one push is refused, or takes
    longer than `patience` (seconds)."""
    times, count = stamps(seconds), 0
    for body, many in _batches(series, times):
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        _OPENER.open(urllib.request.Request(url, snappy(body), headers), timeout=patience).close()
        count += many * len(times)
    return count


def _batches(series: Iterable[Series], times: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    parts: list[bytes] = []
    size = 0
    for one in series:
        parts.append(one.at(times))
        size += len(parts[-1])
        if size > BATCH:
            yield b"".join(parts), len(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts), len(parts)


def snappy(body: bytes) -> bytes:
    """A block that holds the body as it is."""
    parts = [_varint(len(body))]
    for start in range(0, len(body), _LITERAL):
        piece = body[start : start + _LITERAL]
        parts += [b"\xf4" + struct.pack("<H", len(piece) - 1), piece]  # tag 61: a literal, its length in two bytes
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
