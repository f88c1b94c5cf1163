import numpy as np
import pytest

from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.encoder import Encoder
from matinee.retrieval.sequence.model import SequenceModel
from matinee.retrieval.sequence.sequences import GAP_LEVELS, STAR_LEVELS, History, pad
from matinee.towers.backend import ops

N = 20


def model_of(**settings):
    """A model whose every weight is random, biases and norms too."""
    rng = np.random.default_rng(3)
    config = SequenceConfig(embedding_size=8, max_length=6, **settings)
    features = rng.normal(size=(N, 3)).astype(np.float32)
    users = rng.normal(size=(4, 2)).astype(np.float32)
    model = SequenceModel(features, rng.integers(1, 9, N), config, 5, users)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.4, weight.shape).astype(np.float32))
    return model


def values(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def columns_of(films, positions):
    films = np.array(films, np.int32)
    return {
        "film": films,
        "level": (films % 10).astype(np.int32),
        "gap": (films % 7).astype(np.int32),
        "position": np.array(positions, np.int32),
        "user": films % 4,
    }


@pytest.mark.parametrize(
    "read",
    [{"reading": "bag", "blocks": 1}, {"read_stars": False, "blocks": 1}, {"read_times": True}, {}],
)
@pytest.mark.parametrize("features", [True, False])
def test_numpy_and_keras_give_the_same_vectors(read, features):
    model = model_of(**{"blocks": 3, **read}, user_features=features)
    rng = np.random.default_rng(1)
    histories = [
        History(*(rng.integers(0, n, size, np.int32) for n in (N, STAR_LEVELS, GAP_LEVELS)))
        for size in (3, 6, 1, 5, 6)
    ]
    tensors = model.learned()
    table = values(model.films()[0])
    users = np.array([0, 3, 3, 1, 2])
    owners = values(model.users())[users] if features else np.zeros((5, 8), np.float32)
    found = Encoder.of(tensors).vectors(table, histories, owners)
    padded, lengths = pad(histories)
    columns = {
        "film": padded.films,
        "level": padded.levels,
        "gap": padded.gaps,
        "position": np.tile(np.arange(6, dtype=np.int32), (5, 1)),
    }
    each = np.repeat(owners[:, None], 6, axis=1)
    by_keras = values(model.encode(table, columns, each))[np.arange(5), lengths - 1]
    np.testing.assert_allclose(found, by_keras, atol=1e-4)


def test_an_empty_history_has_a_vector_of_zeros():
    model = model_of()
    tensors = model.learned()
    empty, table = np.empty(0, np.int32), values(model.films()[0])
    owner = np.ones((1, 8), np.float32)
    assert not Encoder.of(tensors).vectors(table, [History(empty, empty, empty)], owner).any()


def test_a_place_depends_on_what_came_before_alone():
    model = model_of()
    first = values(model(columns_of([[1, 2, 3, 4, 5, 6]], [range(6)]))["query"])
    other = values(model(columns_of([[1, 2, 3, 9, 8, 7]], [range(6)]))["query"])
    np.testing.assert_allclose(first[0, :3], other[0, :3], atol=1e-5)
    assert not np.allclose(first[0, 3:], other[0, 3:], atol=1e-2)


def test_a_bag_knows_its_newest_film_and_of_the_others_no_order():
    model = model_of(reading="bag", blocks=1)
    orders = [[1, 2, 3, 4, 5, 6], [5, 4, 1, 2, 3, 6], [1, 2, 3, 6, 5, 4]]
    first, mixed, other = values(model(columns_of(orders, [range(6)] * 3))["query"])[:, -1]
    np.testing.assert_allclose(first, mixed, atol=1e-5)
    assert not np.allclose(first, other, atol=1e-2)


def test_people_who_share_a_row_do_not_see_each_other():
    model = model_of()
    shared = values(model(columns_of([[1, 2, 3, 4, 5, 6]], [[0, 1, 0, 1, 2, 0]]))["query"])
    alone = values(model(columns_of([[3, 4, 5]], [[0, 1, 2]]))["query"])
    np.testing.assert_allclose(shared[0, 2:5], alone[0], atol=1e-5)


def loss_by_hand(model, columns, smoothing=0.0):
    output = {name: values(part) for name, part in model(columns).items()}
    logits = output["query"] @ output["table"].T + output["bias"]
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    own = np.take_along_axis(logs, columns["target"][..., None], axis=-1)[..., 0]
    each = (1 - smoothing) * own + smoothing * logs.mean(axis=-1)
    return -(columns["weight"] * each).sum() / columns["weight"].sum()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_cross_entropy_of_the_next_film(smoothing):
    model = model_of(label_smoothing=smoothing)
    columns = columns_of([[1, 2, 3], [4, 5, 0]], [[0, 1, 2], [0, 1, 0]])
    columns["target"] = np.array([[2, 3, 7], [5, 6, 0]], np.int32)
    columns["weight"] = np.array([[1, 1, 0], [1, 1, 0]], np.float32)
    expected = loss_by_hand(model, columns, smoothing)
    found = float(model.compute_loss(columns, y_pred=model(columns)))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("mixed", [{}, {"in_batch_negatives": 2, "hard_negatives": 5}])
def test_the_sampled_loss_is_near_the_full_one(mixed):
    model = model_of(loss="sampled", negatives=20_000, **mixed)
    columns = columns_of([[1, 2, 3]], [[0, 1, 2]])
    columns["target"] = np.array([[2, 3, 7]], np.int32)
    columns["weight"] = np.ones((1, 3), np.float32)
    found = float(model.compute_loss(columns, y_pred=model(columns)))
    assert found == pytest.approx(loss_by_hand(model, columns), rel=0.05)


def test_a_hidden_film_is_its_features_and_the_unknown_ones_row():
    model = model_of()
    hidden = np.arange(N) == 4
    table, bias = (values(part) for part in model.films(hidden))
    plain, plain_bias = (values(part) for part in model.films())
    ids, own = values(model.film_ids.value), values(model.film_bias.value)
    np.testing.assert_allclose(table[4], plain[4] - ids[4] + ids[-1], atol=1e-5)
    assert bias[4] == own[-1]
    np.testing.assert_array_equal(table[~hidden], plain[~hidden])
    np.testing.assert_array_equal(bias[~hidden], plain_bias[~hidden])
