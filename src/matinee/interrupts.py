"""Ctrl-C that cannot get lost.

Python raises `KeyboardInterrupt` wherever it is, and a callback of the framework swallows
what is raised inside it. So a note is kept, which long work looks at from time to time.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_noted = False


def watch() -> None:
    """Note every Ctrl-C from now on; for the main thread of a program of its own."""
    signal.signal(signal.SIGINT, _note)
    sys.unraisablehook = _swallowed


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


def _swallowed(unraisable: UnraisableHookArgs, /) -> None:
    # Raised where nothing can catch it, as while garbage is collected: it is noted already.
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)
