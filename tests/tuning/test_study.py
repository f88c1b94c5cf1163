"""A search that was killed is a search that goes on."""

import sqlite3

import pytest

from matinee.errors import ConfigError, DataError
from matinee.tuning.spaces import Choice, Real, Whole
from matinee.tuning.study import Search, opened
from tests.fresh import run_python

SPACE = {"x": Real(0.01, 100.0), "n": Whole(1, 64), "kind": Choice(((), (8,), (8, 4)))}
START = {"x": 1.0, "n": 8, "kind": (8,)}
# Past the tenth, what is tried depends on what was found.
TRIALS = 15
ASKED = {"model": "parabola", "data": "abc", "seed": 3}


def search_in(storage, seed=3, maximize=False, asked=ASKED, space=SPACE):
    return Search(storage, "stage", space, START, asked=asked, maximize=maximize, seed=seed)


def value_of(settings):
    return (settings["x"] - 3) ** 2 + settings["n"] / 64 + len(settings["kind"])


def run_to(search, trials):
    while len(search.finished()) < trials:
        trial, settings = search.ask()
        if settings["n"] > 30:
            search.fail(trial, "too big")
        else:
            search.tell(trial, value_of(settings))
    return search.finished()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("study") / "whole.study.db") as storage:
        return run_to(search_in(storage), TRIALS)


def test_the_first_trial_is_what_it_starts_from(uninterrupted):
    assert uninterrupted[0].settings == START
    assert uninterrupted[0].value == value_of(START)
    assert [trial.number for trial in uninterrupted] == list(range(1, TRIALS + 1))


def test_settings_lie_in_the_space_and_differ(uninterrupted):
    for trial in uninterrupted:
        assert 0.01 <= trial.settings["x"] <= 100
        assert isinstance(trial.settings["n"], int)
        assert trial.settings["kind"] in SPACE["kind"].options
    assert len({str(trial.settings) for trial in uninterrupted}) > 10


def test_a_failed_trial_is_kept_with_its_reason(uninterrupted):
    failed = [trial for trial in uninterrupted if trial.value is None]
    assert failed
    for trial in uninterrupted:
        assert trial.error == (None if trial.value is not None else "too big")


@pytest.mark.parametrize("stops", [[0, 1, 2, 10, 11, 14], [0, 0, 0, 12]])
def test_a_search_that_died_again_and_again_gives_the_same_trials(tmp_path, uninterrupted, stops):
    path = tmp_path / "cut.study.db"
    for stop in stops:
        with opened(path) as storage:
            search = search_in(storage)
            run_to(search, stop)
            # Whoever dies here leaves a trial without an end.
            search.ask()
    with opened(path) as storage:
        search = search_in(storage)
        assert run_to(search, TRIALS) == uninterrupted


def test_a_trial_that_failed_before_its_end_was_written_is_not_tried_again(tmp_path, uninterrupted):
    place = next(t.number for t in uninterrupted if t.error) - 1
    path = tmp_path / "cut.study.db"
    with opened(path) as storage:
        search = search_in(storage)
        run_to(search, place)
        trial, _ = search.ask()
        trial.set_user_attr("error", "too big")
    with opened(path) as storage:
        search = search_in(storage)
        assert len(search.finished()) == place + 1
        assert run_to(search, TRIALS) == uninterrupted


def test_the_settings_of_a_dead_trial_are_tried_again(tmp_path):
    with opened(tmp_path / "a.study.db") as storage:
        search = search_in(storage)
        run_to(search, 12)
        _, settings = search.ask()
        assert search_in(storage).ask()[1] == settings


@pytest.mark.parametrize("maximize", [True, False])
def test_the_best_is_the_first_of_the_best(tmp_path, maximize):
    with opened(tmp_path / "a.study.db") as storage:
        search = search_in(storage, maximize=maximize)
        assert search.best() is None
        for value in (2.0, None, 5.0, 1.0, 5.0, 1.0):
            trial, _ = search.ask()
            search.fail(trial, "no") if value is None else search.tell(trial, value)
        assert search.best().number == (3 if maximize else 4)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (ASKED | {"seed": 4}, "begun with seed 3; now asked for seed 4"),
        (ASKED | {"data": "abd"}, "begun with data abc; now asked for data abd"),
        (
            ASKED | {"model": "line", "seed": 9},
            "begun with model parabola; now asked for model line; ask",
        ),
        (ASKED | {"more": 1}, "more None; now asked for more 1"),
    ],
)
def test_a_search_that_was_begun_otherwise_is_refused(tmp_path, asked, word):
    with opened(tmp_path / "a.study.db") as storage:
        run_to(search_in(storage), 2)
        with pytest.raises(ConfigError, match=word):
            search_in(storage, asked=asked)
        assert len(search_in(storage).finished()) == 2


def test_two_at_a_time_are_refused(tmp_path):
    path = tmp_path / "a.study.db"
    with (
        opened(path),
        pytest.raises(DataError, match=r"another process works on this .*a\.study\.lock"),
        opened(path),
    ):
        pass
    with opened(path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.study.db"]


def test_a_file_of_something_else_is_refused_and_kept(tmp_path):
    path = tmp_path / "a.study.db"
    path.write_text("years of work " * 1000)
    with pytest.raises(DataError, match=r"a\.study\.db cannot be read as a study"), opened(path):
        pass
    assert path.read_text().startswith("years of work")


def test_a_path_may_have_any_signs(tmp_path):
    path = tmp_path / "a b?c#d%20{e}é" / "x.study.db"
    with opened(path) as storage:
        run_to(search_in(storage), 2)
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from trials").fetchone() == (2,)
    connection.close()


def test_optunas_own_messages_are_silent_and_its_verbosity_is_put_back(tmp_path, capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    with opened(tmp_path / "a.study.db") as storage:
        run_to(search_in(storage), 12)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_without_optuna_it_is_said_how_to_get_it_before_anything_is_loaded(tmp_path):
    done = run_python(
        "import sys; sys.modules['optuna'] = None\n"
        "from matinee.cli import main; main(['tune', 'ease', '--data', 'nowhere.csv'])",
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert 'pip install "matinee[tune]"' in done.stderr
