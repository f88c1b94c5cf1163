import pytest

from matinee.cli.options import parse_history
from matinee.errors import ConfigError
from tests.synthetic import N_FILMS, N_USERS


def test_fetch_says_what_it_has(run, csv_files):
    done = run("data", "fetch", "--data", csv_files[0])
    assert (done.code, done.err) == (0, "")
    assert "2,376 ratings" in done.out
    told = run("data", "fetch", "--data", csv_files[0], "--json").json
    # Without a catalogue the films are those that were rated.
    assert told == {"data": str(csv_files[0]), "ratings": 2376, "films": N_FILMS - 1}


def test_check_passes_good_rows(run, data):
    done = run("data", "check", *data)
    assert (done.code, done.err) == (0, "")
    assert "every row is good" in done.out
    assert run("data", "check", *data, "--json").json["problems"] == []


def bad_table(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("user_id,movie_id,rating\n1,1,4\n1,2,x\n2,1,9\n")
    return path


def test_check_lists_bad_rows_and_exits_with_3(run, tmp_path):
    path = bad_table(tmp_path)
    done = run("data", "check", "--data", path, "--scale", "1:5")
    assert done.code == 3
    assert "2 bad rows" in done.out.replace("\n", "")
    assert done.err.startswith(f"error: {path} has 2 bad rows")
    done = run("data", "check", "--data", path, "--scale", "1:5", "--json")
    assert done.code == 3
    assert [(row["line"], row["value"]) for row in done.json["problems"]] == [(3, "x"), (4, "9")]
    assert all(row["reason"] for row in done.json["problems"])
    assert done.error["type"] == "DataError"


def test_describe_counts(run, data):
    done = run("data", "describe", *data)
    assert (done.code, done.err) == (0, "")
    for part in ("users", "2,376", "Stars", "Genres", "Science Fiction", "1997-"):
        assert part in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80
    facts = run("data", "describe", *data, "--json").json
    assert facts["users"] == N_USERS
    assert facts["films"] == N_FILMS
    assert facts["films_rated"] == N_FILMS - 1
    assert facts["ratings"] == sum(facts["stars"].values()) == 2376
    assert facts["genres"] == {"Comedy": 30, "Horror": 30, "Science Fiction": 30}


def test_describe_takes_ratings_without_times_films_or_variety(run, tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("user_id,movie_id,rating\na,x,4\nb,x,4\n")
    facts = run("data", "describe", "--data", path, "--json").json
    assert "first" not in facts
    assert facts["stars"] == {"4": 2}
    assert facts["genres"] == {}
    assert run("data", "describe", "--data", path).code == 0


def test_columns_of_other_names_are_named(run, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("who,what,how,when\na,x,4,5\nb,x,2,6\n")
    names = ("--user-column", "who", "--item-column", "what", "--rating-column", "how")
    options = ("--data", path, *names, "--timestamp-column", "when")
    facts = run("data", "describe", *options, "--json").json
    assert (facts["users"], facts["ratings"]) == (2, 2)
    done = run("data", "describe", *options[:-1], "whence", "--json")
    assert done.code == 4
    assert "whence" in done.error["message"]


def test_bad_rows_stop_or_are_left_out(run, tmp_path):
    path = bad_table(tmp_path)
    done = run("data", "describe", "--data", path, "--scale", "1:5")
    assert done.code == 3
    assert "line 3" in done.err
    skipping = ("--scale", "1:5", "--on-bad-rows", "skip", "--json")
    done = run("data", "describe", "--data", path, *skipping)
    assert (done.code, done.json["ratings"]) == (0, 1)
    assert str(tmp_path / "bad.rejected.csv") in done.err
    assert (tmp_path / "bad.rejected.csv").is_file()


def test_check_looks_at_the_films_too(run, tmp_path):
    path, films = bad_table(tmp_path), tmp_path / "films.csv"
    films.write_text("movie_id,title\n1,One\n2,\n")
    done = run("data", "check", "--data", path, "--films", films, "--json")
    assert done.code == 3
    assert [(row["file"], row["line"]) for row in done.json["problems"]] == [
        (str(films), 3),
        (str(path), 3),
    ]


def test_times_in_milliseconds_are_told_apart(run, tmp_path):
    path = tmp_path / "ms.csv"
    path.write_text("user_id,movie_id,rating,timestamp\n1,1,4,1577836800000\n")
    done = run("data", "describe", "--data", path)
    assert done.code == 3
    assert "line 2" in done.err
    assert "milliseconds? divide by 1000" in done.err


def test_options_without_sense_are_refused(run, data):
    for option, value in (("--scale", "5"), ("--scale", "5:1"), ("--on-bad-rows", "ignore")):
        done = run("data", "describe", *data, option, value)
        assert done.code == 2
        assert f"{option} {value}; expected" in done.err


def test_one_bad_row_is_told_as_one(run, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("user_id,movie_id,rating\n1,1,4\n1,2,x\n")
    done = run("data", "check", "--data", path)
    assert "1 bad row" in done.out.replace("\n", "")
    assert f"{path} has 1 bad row; correct" in done.err


def test_many_star_values_are_shown_in_few_bins(run, tmp_path):
    path = tmp_path / "fine.csv"
    rows = "".join(f"{n},1,{n / 10}\n" for n in range(1, 51))
    path.write_text(f"user_id,movie_id,rating\n{rows}")
    done = run("data", "describe", "--data", path)
    assert done.code == 0
    assert done.out.count(" to ") == 10
    assert len(run("data", "describe", "--data", path, "--json").json["stars"]) == 50


def test_options_of_tables_are_refused_with_a_name(run, csv_files):
    done = run("data", "check", "--data", "100k", "--films", csv_files[1], "--scale", "1:5")
    assert done.code == 2
    assert "films (--films), scale (--scale)" in done.err


def test_a_scale_that_is_not_finite_is_refused(run, data):
    for scale in ("1:inf", "nan:5", "-inf:5", "1:1e39"):
        assert run("data", "check", *data, f"--scale={scale}").code == 2


def test_a_damaged_zip_is_told_as_such(run, tmp_path):
    path = tmp_path / "ml-1m.zip"
    path.write_bytes(b"PK\x03\x04")
    done = run("data", "check", "--data", path)
    assert done.code == 3
    assert "is not a whole zip" in done.err


def test_a_film_given_twice_is_refused():
    assert parse_history(["Heat (1995)=5", "E=mc2=4"]) == {"Heat (1995)": 5, "E=mc2": 4}
    with pytest.raises(ConfigError, match=r"'Heat' was given 5 stars already"):
        parse_history(["Heat=5", " Heat =1"])


def test_synthesize_writes_what_the_other_commands_read(run, tmp_path):
    out, films = tmp_path / "made.parquet", tmp_path / "films.parquet"
    sizes = ("--users", 40, "--items", 30, "--ratings", 300)
    done = run("data", "synthesize", *sizes, "--out", out, "--films-out", films)
    assert (done.code, done.out) == (0, "")
    assert f"--data {out} --films {films}" in done.err
    facts = run("data", "describe", "--data", out, "--films", films, "--json").json
    assert (facts["users"], facts["films"], facts["ratings"]) == (40, 30, 300)
    assert facts["genres"]
    told = run("data", "synthesize", *sizes, "--out", out, "--json").json
    assert told == {"ratings": str(out), "films": None}


def test_synthesize_refuses_what_cannot_be(run, tmp_path):
    sizes = ("--users", 40, "--items", 30)
    done = run("data", "synthesize", *sizes, "--ratings", 601, "--out", tmp_path / "a.parquet")
    assert done.code == 2
    assert "ratings = 601; expected 40 … 600" in done.err
    done = run("data", "synthesize", *sizes, "--ratings", 300, "--out", tmp_path / "a.csv")
    assert done.code == 2
    assert not list(tmp_path.iterdir())


def test_what_was_prepared_is_data_like_any_other(run, data, tmp_path):
    prepared = tmp_path / "prepared"
    done = run("data", "prepare", *data, "--out", prepared)
    assert (done.code, done.out) == (0, "")
    assert f"matinee train --data {prepared}" in done.err
    whole, opened = (
        run("data", "describe", *source, "--json").json for source in (data, ["--data", prepared])
    )
    assert whole | {"data": ""} == opened | {"data": ""}
    assert run("data", "check", "--data", prepared).code == 0
    assert run("data", "prepare", *data, "--out", prepared, "--json").json["ratings"] == 2376
    (prepared / "prepared.json").unlink()
    done = run("data", "prepare", *data, "--out", prepared)
    assert done.code == 3
    assert "give another name" in done.err
