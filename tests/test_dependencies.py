"""What the package imports is what its metadata asks for."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "matinee"
# Rooms that need an extra, with those that it may take; all others do without.
EXTRAS = {"service": ("serve",), "store": ("serve", "postgres")}


def imported(directory):
    """Top-level names of other packages that files under a directory import."""
    found = set()
    for path in directory.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - {"matinee", "__future__"} - set(sys.stdlib_module_names)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_by(requirements):
    """Names of everything that a list of requirements brings along."""
    found, waiting = set(), [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            wanted = (canonical(requirement.name), extra)
            if wanted in found:
                continue
            found.add(wanted)
            for text in metadata.requires(requirement.name) or ():
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return {name for name, _ in found}


@pytest.mark.parametrize("room", EXTRAS)
def test_what_an_extra_needs_comes_with_it(room):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in EXTRAS[room]:
        requirements += project["optional-dependencies"][extra]
    provided, owners = installed_by(requirements), metadata.packages_distributions()
    missing = {
        name
        for name in imported(SOURCE / room)
        if not provided & {canonical(owner) for owner in owners[name]}
    }
    assert missing == set()
