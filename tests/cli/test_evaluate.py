import csv
import io

import pytest

import matinee as mt


def test_measures_a_saved_model_as_it_was_trained(run, model, saved_model):
    done = run("evaluate", "--model", model, "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["protocol"], done.json["seeds"]) == ("seed", [7])
    own = done.json["models"][str(model)]
    assert own["rmse"]["value"] == pytest.approx(saved_model.metrics["rmse"])
    # The list that users see, so that of both stages.
    assert own["ndcg@10"]["value"] == pytest.approx(saved_model.metrics["two_stage_ndcg@10"])
    for metric in ("recall@20", "recall@100", "hr@10", "auc", "coverage@10", "mae"):
        assert own[metric]["low"] <= own[metric]["value"] <= own[metric]["high"]
    assert own["fit_s"] is None


def test_trains_what_has_a_name_on_the_training_part(run, data, model, split):
    names = ("popularity", "ease", "ials", "item-knn", "bias", "mf")
    options = [word for name in names for word in ("--model", name)]
    done = run("evaluate", *data, "--seed", 7, *options, "--model", model, "--json")
    assert done.code == 0
    models = done.json["models"]
    assert list(models) == [*names, str(model)]
    assert set(models["bias"]) == {"rmse", "mae", "trials", "fit_s", "measure_s"}
    assert "rmse" not in models["ease"]
    assert models["ease"]["ndcg@10"]["value"] > models["popularity"]["ndcg@10"]["value"]
    assert models["mf"]["fit_s"] > 0
    assert done.json["tested"]["ratings"] == len(split.test)


def test_json_csv_and_table_show_the_same_numbers(run, data):
    options = ("evaluate", *data, "--model", "popularity", "--model", "bias", "--seed", 3)
    as_json, as_csv, as_table = run(*options, "--json"), run(*options, "--csv"), run(*options)
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert len(rows) > 20
    for row in rows:
        estimate = as_json.json["models"][row["model"]][row["metric"]]
        assert estimate == {key: float(row[key]) for key in ("value", "low", "high")}
    value = as_json.json["models"]["popularity"]["ndcg@10"]["value"]
    assert f"{value:.3f} ±" in as_table.out
    assert "ratings.csv, protocol seed, seed 3" in as_table.out


def test_several_seeds_are_averaged(run, data):
    one, two, both = (
        run("evaluate", *data, "--model", "popularity", "--json", *options).json
        for options in (("--seed", 1), ("--seed", 2), ("--seed", 1, "--seeds", 2))
    )
    assert both["seeds"] == [1, 2]
    assert both["tested"]["users"] == one["tested"]["users"] + two["tested"]["users"]
    values = [found["models"]["popularity"]["recall@20"]["value"] for found in (one, two, both)]
    assert values[2] == pytest.approx((values[0] + values[1]) / 2, rel=0.02)


def test_settings_of_ones_own_are_trained_and_their_trials_shown(run, data, tmp_path):
    (tmp_path / "mine.toml").write_text(
        '[retrieval]\nmodel = "ease"\nl2 = 20.0\n[tuning.retrieval]\ntrials = 12\n'
        'metric = "ndcg@10"\nvalue = 0.4\ndata = "mine"\nprotocol = "seed"\nseed = 1\n'
    )
    done = run("evaluate", *data, "--model", tmp_path / "mine.toml", "--json")
    assert done.json["models"][str(tmp_path / "mine.toml")]["trials"] == 12


def test_writes_a_report(run, data, tmp_path):
    done = run("evaluate", *data, "--model", "popularity", "--report", tmp_path / "out.html")
    assert done.code == 0
    assert "popularity" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_report_that_fails_takes_no_numbers_away(run, data, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matinee.report.write.write_report", fails)
    done = run("evaluate", *data, "--model", "bias", "--report", tmp_path / "out.html", "--json")
    assert done.code == 1
    assert done.json["models"]["bias"]["rmse"]["value"] > 0
    assert "No space left" in done.error["message"]


@pytest.mark.parametrize(
    "options", [("--protocol", "time"), ("--seed", 8), ("--protocol", "leave-last-out")]
)
def test_a_cut_that_leaks_exits_with_7(run, model, options):
    done = run("evaluate", "--model", model, *options, "--json")
    assert (done.code, done.out) == (7, "")
    assert done.error["type"] == "LeakageError"
    assert "trained on" in done.error["message"]


def test_other_ratings_are_refused(run, model, tmp_path):
    (tmp_path / "other.csv").write_text(
        "user_id,movie_id,rating\n" + "\n".join(f"{u},{f},4" for u in (1, 2) for f in range(1, 9))
    )
    done = run("evaluate", "--model", model, "--data", tmp_path / "other.csv")
    assert done.code == 3
    assert "are not the 2,376" in done.err
    assert "ratings.csv); give the same data" in done.err


def test_the_ratings_may_have_moved(run, model, csv_files, tmp_path):
    moved = tmp_path / "moved.csv"
    moved.write_bytes(csv_files[0].read_bytes())
    assert run("evaluate", "--model", model, "--data", moved).code == 0


def test_a_model_from_ratings_without_a_source_says_what_to_give(run, tmp_path, models):
    recommender = models["seed"].recommender
    data = {**models["seed"].data, "source": {}}
    bare = mt.SavedModel(recommender, models["seed"].recipe, 7, data, {})
    mt.save_model(bare, tmp_path / "bare")
    done = run("evaluate", "--model", tmp_path / "bare", "--json")
    assert done.code == 4
    assert "--data" in done.error["message"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "nonsense"), "no model 'nonsense'"),
        (("--model", "ease", "--model", "ease"), "each model once"),
        (("--protocol", "all"), "tests nothing"),
        (("--protocol", "sasrec"), "sasrec"),
        (("--protocol", "u1"), "MovieLens 100K"),
        (("--protocol", "nonsense"), "stratified-75-25"),
        (("--json", "--csv"), "one of them"),
    ],
)
def test_what_cannot_be_measured_is_said_so(run, data, options, message):
    done = run("evaluate", *data, "--model", "popularity", *options)
    assert done.code in (2, 3)
    assert message in done.err


def test_a_recipe_is_not_mistaken_for_a_directory_of_its_name(run, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "popularity").mkdir()
    assert run("evaluate", *data, "--model", "popularity").code == 0
