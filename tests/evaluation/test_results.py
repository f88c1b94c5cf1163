import csv
import io
import json

import numpy as np
import pytest

from matinee.errors import ConfigError
from matinee.evaluation.results import Evaluation, Facts
from matinee.evaluation.tallies import Measured, Tally

RNG = np.random.default_rng(0)
BASE = RNG.random(80)


def measured(values, stars=None):
    tallies = {
        name: Tally(np.array(values, float), np.ones(len(values)))
        for name in ("ndcg@10", "recall@20", "recall@100", "hr@10")
    }
    if stars is not None:
        tallies["rmse"] = Tally(np.full(len(values), stars**2), np.ones(len(values)), root=True)
    return Measured(tallies, (np.zeros((len(values), 10), np.int32),), np.zeros(4), np.ones(4))


EVALUATION = Evaluation(
    "seed",
    (1, 2),
    {
        "good": measured(BASE + 0.2, stars=0.9),
        "equal": measured(RNG.permutation(BASE) + 0.2, stars=1.0),
        "poor": measured(BASE),
    },
    {"good": Facts(trials=30, fit_s=1.25), "poor": Facts(fit_s=0.5)},
)


def test_a_value_lies_in_its_interval():
    for own in EVALUATION.estimates.values():
        for estimate in own.values():
            assert estimate.low <= estimate.value <= estimate.high


def test_who_is_better_for_every_user_beats():
    gap = EVALUATION.difference("ndcg@10", "good", "poor")
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2, 0.2, 0.2))
    assert EVALUATION.beats("ndcg@10", "good", "poor")
    assert not EVALUATION.beats("ndcg@10", "poor", "good")
    assert not EVALUATION.beats("ndcg@10", "good", "equal")
    assert not EVALUATION.beats("ndcg@10", "good", "good")


def test_fewer_errors_are_better():
    assert EVALUATION.beats("rmse", "good", "equal")
    assert EVALUATION.leaders("rmse") == ["good"]


def test_leaders_are_the_best_and_who_cannot_be_told_apart_from_it():
    assert sorted(EVALUATION.leaders("ndcg@10")) == ["equal", "good"]
    assert EVALUATION.leaders("auc") == []
    assert any("cannot be told apart" in line for line in EVALUATION.remarks())


@pytest.mark.parametrize(("metric", "model"), [("rmse", "poor"), ("auc", "good"), ("rmse", "who")])
def test_what_was_not_measured_cannot_be_compared(metric, model):
    with pytest.raises(ConfigError, match=f"{metric} of {model}"):
        EVALUATION.difference(metric, "good", model)


def test_json_and_csv_give_the_same_numbers():
    values = json.loads(json.dumps(EVALUATION.to_dict(), allow_nan=False))
    assert values["protocol"] == "seed"
    assert values["seeds"] == [1, 2]
    assert values["tested"] == {"users": 80, "ratings": 80}
    assert values["models"]["good"]["trials"] == 30
    assert values["models"]["equal"]["fit_s"] is None
    rows = list(csv.DictReader(io.StringIO(EVALUATION.to_csv())))
    assert {row["model"] for row in rows} == {"good", "equal", "poor"}
    for row in rows:
        estimate = values["models"][row["model"]][row["metric"]]
        assert estimate == {key: float(row[key]) for key in ("value", "low", "high")}


def test_comparisons_are_in_the_json_both_ways():
    found = EVALUATION.to_dict()["comparisons"]["rmse"]
    assert [(row["model"], row["other"], row["beats"]) for row in found] == [
        ("good", "equal", True),
        ("equal", "good", False),
    ]
    assert found[0]["value"] == pytest.approx(-0.1)


def test_the_table_shows_what_there_is():
    columns, rows = EVALUATION.rows()
    assert columns == [
        "model",
        "ndcg@10",
        "recall@20",
        "recall@100",
        "rmse",
        "trials",
        "train",
    ]
    by_name = {row[0]: row for row in rows}
    assert by_name["good"][-3:] == ["0.900 ±.000", "30", "1.2 s"]
    assert by_name["poor"][-3:] == ["", "0", "0.5 s"]
    assert str(EVALUATION).splitlines()[0].split() == columns


def test_nobody_leads_by_what_one_model_alone_has():
    found = Evaluation(
        "seed", (1,), {"good": measured(BASE, stars=0.9), "poor": measured(BASE)}, {}
    )
    assert [line for line in found.remarks() if line.startswith("ndcg@10")]
    assert not [line for line in found.remarks() if line.startswith("rmse")]


def test_one_model_alone_leads_nobody():
    alone = Evaluation("seed", (1,), {"good": measured(BASE)})
    assert alone.remarks() == []
    columns, _ = alone.rows()
    assert "trials" not in columns
    assert "train" not in columns
