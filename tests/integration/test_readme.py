"""What the README says to type works, as it is written there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.movielens

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("matinee ")
]


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["python", "seed"])
def test_a_snippet_runs_and_recommends_films(snippet, movielens, tmp_path):
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    assert re.search(r"\(19\d\d\)", run([sys.executable, "snippet.py"], tmp_path))


def test_every_command_runs_in_the_order_given(movielens, tmp_path):
    rows = [
        f"{u},{f},{1 + (u * f) % 5},{1000 * u + f}" for u in range(30) for f in range(u % 3, 20)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *rows]))
    films = [f"{f},Film {f} (19{60 + f}),Drama|Comedy" for f in range(20)]
    (tmp_path / "films.csv").write_text("\n".join(["item,title,genres", *films]))
    assert len(COMMANDS) >= 10
    for command in COMMANDS:
        arguments = shlex.split(command)[1:]
        entry = "import sys; from matinee.cli import main; main(sys.argv[1:])"
        assert run([sys.executable, "-c", entry, *arguments], tmp_path)
