"""The log: one JSON object a line, on standard error, without bodies, queries, keys or ids."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LOG = logging.getLogger("matinee.service")


class JsonFormatter(logging.Formatter):
    """Writes a record, and the fields that came with it, as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # Not its text, which may quote what was sent: where it happened, and its kind.
            fields["error"] = record.exc_info[0].__name__
            fields["trace"] = _trace(record)
        return json.dumps(fields, ensure_ascii=True)


def _trace(record: logging.LogRecord) -> list[str]:
    places, traceback = list[str](), record.exc_info[2] if record.exc_info else None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-12:]


def configure(level: str) -> None:
    """Send the service's and the server's log to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("matinee.service", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
    # Its lines hold paths, and so the ids of people.
    logging.getLogger("uvicorn.access").disabled = True
