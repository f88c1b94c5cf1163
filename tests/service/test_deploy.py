"""What deploys the service says what the service understands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from matinee.service.settings import load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_image_sets_what_there_is_to_set():
    said = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    [variables] = re.findall(r"^ENV (.+)$", said, re.MULTILINE)
    environment = dict(pair.split("=", 1) for pair in variables.split())
    found = load_settings({}, environment)
    assert (found.host, found.store) == ("0.0.0.0", "sqlite:////data/ratings.db")
    assert f"EXPOSE {found.port}" in said
    assert f":{found.port}/readyz" in said
    root = DEPLOY.parent
    for path in re.findall(r"^COPY (.+) \S+$", said, re.MULTILINE):
        assert all((root / name).exists() for name in path.split()), path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd's own check")
def test_the_unit_is_one(tmp_path):
    unit = (DEPLOY / "matinee.service").read_text()
    [command] = re.findall(r"^ExecStart=(\S+) serve --config", unit, re.MULTILINE)
    # The program is not where the unit expects it, on the machine that tests.
    (tmp_path / "matinee.service").write_text(unit.replace(command, "/bin/true"))
    found = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "matinee.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
