import json
from dataclasses import dataclass

import pytest

from matinee.cli import main


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        return json.loads(self.err)["error"]


@pytest.fixture
def run(capsys):
    """Run one command in this process."""

    def run_command(*words):
        capsys.readouterr()
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code or 0
        return Done(code, *capsys.readouterr())

    return run_command


@pytest.fixture
def model(model_directories):
    return model_directories["default"]


@pytest.fixture
def data(csv_files):
    """Options that name the synthetic ratings and films."""
    return "--data", csv_files[0], "--films", csv_files[1]
