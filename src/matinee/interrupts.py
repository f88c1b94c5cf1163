"""Ctrl-C that cannot get lost.

Python raises `KeyboardInterrupt` wherever it is, and a callback of the framework swallows
what is raised inside it. So a note is kept, which long work looks at from time to time.
"""

from __future__ import annotations

import signal
from typing import Any

_noted = False


def watch() -> None:
    """Note every Ctrl-C from now on; for the main thread of a program of its own."""
    signal.signal(signal.SIGINT, _note)


def check() -> None:
    """Stop here if there was a Ctrl-C that nothing has acted on.

    Raises:
        KeyboardInterrupt: there was.
    """
    if _noted:
        raise KeyboardInterrupt


def _note(number: int, frame: Any) -> None:
    global _noted
    _noted = True
    raise KeyboardInterrupt
