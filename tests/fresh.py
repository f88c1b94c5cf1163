"""Running Python anew, as somebody else would."""

import subprocess
import sys


def run_python(code, *arguments, timeout=120, **options):
    """Run code in a new interpreter; what it printed is in `.stdout` and `.stderr`."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
        **options,
    )


def run_matinee(*arguments, **options):
    """Run the command line in a new interpreter."""
    return run_python("from matinee.cli import main; main()", *arguments, **options)
