"""The sandbox's own time: it may run faster than the wall clock and jumps ahead on request."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """Seconds since the epoch as the sandbox sees them; never goes backwards."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._wall_origin = time.monotonic()
        self._origin = time.time()

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> float:
        return self._origin + (time.monotonic() - self._wall_origin) * self._speed

    def advance(self, seconds: float) -> None:
        self._origin += seconds

    def set_speed(self, speed: float) -> None:
        self._origin, self._wall_origin = self.now(), time.monotonic()
        self._speed = speed


def milliseconds(seconds: float) -> str:
    """DRS writes instants as Unix milliseconds in a string."""
    return str(round(seconds * 1000))


def readable(seconds: float) -> str:
    """The form of `create_time` in "Querying the Task List" and of `time` in RPO and RTO."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def iso(seconds: float) -> str:
    """The form of `expires_at` in "Obtaining a User Token Through Password Authentication"."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
