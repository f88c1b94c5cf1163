"""What the service measures of itself."""

from __future__ import annotations

import collections
import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_REMEMBERED = 1_000


class Telemetry:
    """Counts, latencies and errors, for `/metrics` and the operator's page."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "matinee_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "matinee_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._shown = Counter(
            "matinee_recommended_films_total",
            "Films recommended, by why they were.",
            ("source",),
            registry=self.registry,
        )
        self._model = Gauge(
            "matinee_model_info",
            "1 for the version of the model that answers.",
            ("version",),
            registry=self.registry,
        )
        self._films: set[str] = set()
        self._recent: deque[tuple[float, str, float, int]] = deque(maxlen=_REMEMBERED)
        self.errors: deque[dict[str, Any]] = deque(maxlen=50)
        self._started_s = time.monotonic()
        self._refused, self._told_s = 0, -math.inf

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(duration_s)
        self._recent.append((time.monotonic(), route, duration_s, status))

    def failed(self, request_id: str, route: str, status: int, what: str) -> None:
        """Remember an error for the operator."""
        self.errors.append(
            {
                "at_s": time.time(),
                "request_id": request_id,
                "route": route,
                "status": status,
                "what": what,
            }
        )

    def refused(self, request_id: str) -> int:
        """Count a request that was one too many.

        Returns:
            How many there were since this was last told, once a second; else 0.
        """
        self.answered("GET", "refused", 503, 0.0)
        self._refused += 1
        now_s = time.monotonic()
        if now_s - self._told_s < 1:
            return 0
        self.failed(request_id, "refused", 503, "unavailable")
        count, self._refused, self._told_s = self._refused, 0, now_s
        return count

    def recommended(self, films: Sequence[tuple[str, str]]) -> None:
        """Count the films of a list, each an id and a source."""
        for source, count in collections.Counter(source for _, source in films).items():
            self._shown.labels(source).inc(count)
        self._films.update(movie_id for movie_id, _ in films)

    def activated(self, version: str) -> None:
        """Note which version of the model answers."""
        self._model.clear()
        self._model.labels(version).set(1)

    def page(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)

    def summary(self) -> dict[str, Any]:
        """What the operator's page shows, of the last thousand requests at most.

        Returns:
            rate_per_s over the last minute; `requests`, by route the number, the share of errors
            (status 500 and above), and the median and 99th percentile in ms; `errors`, the newest
            last; `films_shown`, how many films were ever recommended; `up_s`.
        """
        recent, now_s = list(self._recent), time.monotonic()
        span_s = min(60.0, max(1.0, now_s - self._started_s))
        late = [entry for entry in recent if now_s - entry[0] <= span_s]
        return {
            "rate_per_s": round(len(late) / span_s, 3),
            "requests": [
                _of_route(route, [entry for entry in recent if entry[1] == route])
                for route in sorted({entry[1] for entry in recent})
            ],
            "errors": list(self.errors),
            "films_shown": len(self._films),
            "up_s": round(now_s - self._started_s, 1),
        }


def _of_route(route: str, entries: list[tuple[float, str, float, int]]) -> dict[str, Any]:
    times_ms = sorted(1e3 * duration_s for _, _, duration_s, _ in entries)
    failures = sum(status >= 500 for _, _, _, status in entries)
    return {
        "route": route,
        "count": len(entries),
        "error_share": round(failures / len(entries), 4),
        "p50_ms": round(_percentile(times_ms, 0.5), 2),
        "p99_ms": round(_percentile(times_ms, 0.99), 2),
    }


def _percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
