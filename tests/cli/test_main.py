"""What holds for every command: exit codes, error streams, odd terminals, hostile titles."""

import os
import subprocess
import sys

import pytest

import matinee as mt
from matinee import errors
from tests.fresh import run_matinee, run_python

VERBS = ["train", "evaluate", "recommend", "similar", "search", "data fetch", "data check"]
VERBS += ["data describe", "model verify"]

HOSTILE = {
    "1": "[red]Danger[/red] (1999)",
    "2": "Clear \x1b[2J\x07\x9b31mScreen (1998)",
    "3": "Popcorn 🍿 :smile: (2020)",
    "4": "[/]",
    "5": "Line\nBreak\tTab\r (2001)",
    "6": "The Very Long Title of a Film That Goes On and On Until the Terminal Ends (1964)",
}
SHOWN = [
    "[red]Danger[/red] (1999)",
    "Clear \ufffd[2J\ufffd\ufffd31mScreen (1998)",
    "Popcorn 🍿 :smile: (2020)",
    "[/]",
    "Line Break Tab (2001)",
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example(run, verb):
    done = run(*verb.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert f"example: matinee {verb} " in done.out
    assert "--json" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_no_command_shows_the_help_and_exits_with_2(run):
    done = run()
    assert done.code == 2
    assert "Commands:" in done.out + done.err


def test_the_version_is_shown(run):
    done = run("--version")
    assert (done.code, done.out, done.err) == (0, f"matinee {mt.__version__}\n", "")


@pytest.mark.parametrize("words", [["nonsense"], ["train"], ["recommend", "--user"], ["data", "x"]])
def test_wrong_use_exits_with_2_and_says_how(run, words):
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


@pytest.mark.parametrize(
    "kind",
    [
        errors.MatineeError,
        errors.ConfigError,
        errors.DataError,
        errors.NotFoundError,
        errors.ModelFileError,
        errors.DownloadError,
        errors.LeakageError,
    ],
)
def test_each_error_has_its_exit_code_and_its_json(run, monkeypatch, kind):
    def failing(source):
        raise kind("it is so")

    monkeypatch.setattr("matinee.cli.options.load_source", failing)
    done = run("data", "fetch")
    assert (done.code, done.out, done.err) == (kind.exit_code, "", "error: it is so\n")
    done = run("data", "fetch", "--json")
    assert (done.code, done.out) == (kind.exit_code, "")
    assert done.error == {"type": kind.__name__, "message": "it is so"}


def test_an_error_of_the_system_is_one_line_too(run, monkeypatch):
    def failing(source):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("matinee.cli.options.load_source", failing)
    done = run("data", "fetch")
    assert (done.code, done.err) == (1, "error: [Errno 13] Permission denied: 'somewhere'\n")
    assert run("data", "fetch", "--json").error["type"] == "PermissionError"


def test_ctrl_c_exits_with_130(run, monkeypatch):
    def interrupted(source):
        raise KeyboardInterrupt

    monkeypatch.setattr("matinee.cli.options.load_source", interrupted)
    done = run("data", "fetch")
    assert (done.code, done.out) == (130, "")
    assert done.err == "interrupted; nothing was left half-written\n"


def test_the_same_answer_in_a_process_of_its_own(run, model):
    words = ("recommend", "--model", model, "--user", "42", "--json")
    done = run_matinee(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(*words).out


def test_an_error_in_a_process_of_its_own(tmp_path):
    done = run_matinee("model", "verify", tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("error: no model at")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe")
def test_a_reader_that_leaves_is_no_error(model):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from matinee.cli import main; main()", "recommend"),
            *("--model", str(model), "--user", "42", "-k", "90", "--json"),
        ],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.fixture(scope="module")
def hostile_model(models, tmp_path_factory):
    """A model whose films have titles that try to do something to the terminal."""
    recommender = models["default"].recommender
    titles = [HOSTILE.get(str(i), f"Film {i}") for i in range(1, 91)]
    genres = [["[bold]", "\x1b[31mRed"]] * 90
    recommender = mt.Recommender(
        mt.Catalog.of_titles(range(1, 91), titles, genres),
        recommender.retriever,
        recommender.ranker,
        recommender.train,
        candidates=recommender.candidates,
    )
    directory = tmp_path_factory.mktemp("hostile") / "model"
    saved = models["default"]
    mt.save_model(
        mt.SavedModel(recommender, saved.recipe, saved.seed, saved.data, saved.metrics), directory
    )
    return directory


def harmless(text):
    return not any((c < " " and c != "\n") or "\x7f" <= c < "\xa0" for c in text)


def test_hostile_titles_are_shown_as_they_are_written(run, hostile_model):
    done = run("recommend", "--model", hostile_model, "--user", "me", "-k", 90)
    assert done.code == 0
    assert harmless(done.out)
    assert all(len(line) <= 80 for line in done.out.splitlines())
    seen = run("search", "--model", hostile_model, "danger").out
    assert "[red]Danger[/red] (1999)" in seen
    for title in SHOWN:
        found = run("similar", "--model", hostile_model, str(SHOWN.index(title) + 1), "-k", 1)
        assert found.out.startswith(f"Like {title}\n")


def test_hostile_titles_in_errors_and_questions_do_no_harm(run, hostile_model):
    done = run("similar", "--model", hostile_model, "clear \x1b[2J scren")
    assert done.code == 4
    assert harmless(done.err)
    done = run("recommend", "--model", hostile_model, "--user", "\x1b[31mme")
    assert done.code == 0
    assert harmless(done.out + done.err)


def test_hostile_titles_survive_json(run, hostile_model):
    done = run("recommend", "--model", hostile_model, "--user", "me", "-k", 90, "--json")
    assert done.out.isascii()
    titles = {film["movie_id"]: film["title"] for film in done.json["recommendations"]}
    assert titles["2"] == HOSTILE["2"]
    assert titles["3"] == HOSTILE["3"]


def test_a_terminal_that_knows_ascii_alone_still_gets_an_answer(hostile_model):
    done = run_matinee(
        *("recommend", "--model", hostile_model, "--user", "zoë", "-k", 90),
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "Popcorn ? :smile: (2020)" in done.stdout
    assert done.stderr.startswith("nothing is known of what user zo? would like")


def test_a_missing_extra_is_named_before_anything_is_done(tmp_path):
    code = (
        "import sys; sys.modules['fontTools'] = None;"
        "from matinee.cli import main; main(['demo', '--place', sys.argv[1]])"
    )
    done = run_python(code, tmp_path / "demo")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith('run: pip install "matinee[serve]"')
    assert not (tmp_path / "demo").exists()
