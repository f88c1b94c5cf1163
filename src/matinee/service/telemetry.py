"""What the service measures of itself."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any


class Telemetry:
    """Counts, latencies and errors, for `/metrics` and the operator's page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.errors: deque[dict[str, Any]] = deque(maxlen=50)
        self.started_s = time.time()

    def summary(self) -> dict[str, Any]:
        """What the operator's page shows."""
        return {"errors": list(self.errors), "requests": [], "rate_per_s": 0.0}
