import pytest

import matinee as mt


def test_measures_again_what_training_measured(run, model, saved_model):
    done = run("evaluate", "--model", model, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "model": str(model),
        "protocol": "seed",
        "seed": 7,
        "metrics": saved_model.metrics,
    }


def test_shows_a_table(run, model, saved_model):
    done = run("evaluate", "--model", model, "--protocol", "seed", "--seed", 7)
    assert done.code == 0
    assert f"{model}, protocol seed, seed 7" in done.out.replace("\n", "")
    assert f"{saved_model.metrics['ndcg@10']:.4f}" in done.out
    assert "119" in done.out


@pytest.mark.parametrize(
    "options", [("--protocol", "time"), ("--seed", 8), ("--protocol", "leave-last-out")]
)
def test_a_cut_that_leaks_exits_with_7(run, model, options):
    done = run("evaluate", "--model", model, *options, "--json")
    assert (done.code, done.out) == (7, "")
    assert done.error["type"] == "LeakageError"
    assert "trained on" in done.error["message"]


def test_other_ratings_are_refused(run, model, tmp_path):
    (tmp_path / "other.csv").write_text("user_id,movie_id,rating\n1,1,4\n2,1,3\n")
    done = run("evaluate", "--model", model, "--data", tmp_path / "other.csv")
    assert done.code == 3
    assert "are not the 2,376" in done.err


def test_the_ratings_may_have_moved(run, model, csv_files, tmp_path):
    moved = tmp_path / "moved.csv"
    moved.write_bytes(csv_files[0].read_bytes())
    assert run("evaluate", "--model", model, "--data", moved).code == 0


def test_a_model_from_ratings_without_a_source_says_what_to_give(run, ratings, tmp_path, models):
    recommender = models["seed"].recommender
    data = {**models["seed"].data, "source": {}}
    bare = mt.SavedModel(recommender, models["seed"].recipe, 7, data, {})
    mt.save_model(bare, tmp_path / "bare")
    done = run("evaluate", "--model", tmp_path / "bare", "--json")
    assert done.code == 4
    assert "--data" in done.error["message"]
