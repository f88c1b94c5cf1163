"""What the README and the docs say to type works, as it is written there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.movielens

ROOT = Path(__file__).parents[2]
README, EVALUATION, RANKING, RETRIEVAL, STARS, LISTS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "docs/evaluation.md",
        "docs/ranking.md",
        "docs/retrieval.md",
        "docs/stars.md",
        "docs/lists.md",
    )
)


def snippets(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("matinee ")]


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


SNIPPETS = [part for text in (README, RANKING, RETRIEVAL, STARS, LISTS) for part in snippets(text)]


@pytest.mark.parametrize(
    "snippet", SNIPPETS, ids=["python", "seed", "ranking", "retrieval", "stars", "lists"]
)
def test_a_snippet_runs_and_recommends_films(snippet, movielens, tmp_path):
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    assert re.search(r"\(19\d\d\)", run([sys.executable, "snippet.py"], tmp_path))


def test_a_model_of_ones_own_is_measured_in_ten_lines(movielens, tmp_path):
    [snippet] = snippets(EVALUATION)
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    assert re.search(r"best rated +0\.\d+ ±", run([sys.executable, "snippet.py"], tmp_path))
    body = snippet.partition("class ")[2].rpartition("print(")[0]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize(
    ("lines", "least"),
    [(commands(README), 10), (commands(EVALUATION), 4), (commands(RANKING), 6)],
    ids=["README", "evaluation", "ranking"],
)
def test_every_command_runs_in_the_order_given(lines, least, movielens, tmp_path):
    rows = [
        f"{u},{f},{1 + (u * f) % 5},{1000 * u + f}" for u in range(30) for f in range(u % 3, 20)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *rows]))
    films = [f"{f},Film {f} (19{60 + f}),Drama|Comedy" for f in range(20)]
    (tmp_path / "films.csv").write_text("\n".join(["item,title,genres", *films]))
    assert len(lines) >= least
    for command in lines:
        arguments = shlex.split(command)[1:]
        entry = "import sys; from matinee.cli import main; main(sys.argv[1:])"
        assert run([sys.executable, "-c", entry, *arguments], tmp_path)
