"""The root of all commands, which lets Ctrl-C and a closed pipe reach `matinee.cli.main`."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup


class StoppedError(Exception):
    """Ctrl-C or a closed pipe, which is its cause; Typer would end the process by its own rules."""


class Root(TyperGroup):
    """Invokes a command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command and hand all its output over."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise StoppedError from error
        return result
