"""The command line: parse, call, show. Exit codes are those of `matinee.errors`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from matinee import interrupts
from matinee.cli.app import app
from matinee.cli.root import StoppedError
from matinee.cli.show import show_error
from matinee.console import say
from matinee.errors import ConfigError, MatineeError

INTERRUPTED = 130
# Packages that come with an extra alone, by the names they are imported by.
_EXTRAS = {
    "apsw": "serve",
    "fastapi": "serve",
    "fontTools": "serve",
    "jinja2": "serve",
    "prometheus_client": "serve",
    "pydantic": "serve",
    "python_multipart": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "psycopg": "postgres",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 wrong use, 3 … 10 as `matinee.errors`, 130 Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        interrupts.watch()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that a terminal cannot show is no reason to fail.
            stream.reconfigure(errors="replace")
    try:
        app(args=words, prog_name="matinee")
    except MatineeError as error:
        show_error(error, as_json="--json" in words)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        missing = f'{error.name} is not installed; run: pip install "matinee[{extra}]"'
        show_error(ConfigError(missing), as_json="--json" in words)
        sys.exit(ConfigError.exit_code)
    except StoppedError as stopped:
        if isinstance(stopped.__cause__, KeyboardInterrupt):
            say("interrupted; nothing was left half-written")
            if arguments is None:
                # The framework's threads may crash in an orderly end of an interrupted process.
                os._exit(INTERRUPTED)
            sys.exit(INTERRUPTED)
        # Whoever read the output has had enough; keep Python's own flush from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        show_error(error, as_json="--json" in words)
        sys.exit(MatineeError.exit_code)
