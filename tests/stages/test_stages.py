import math

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.stages import LIST_RANKERS, RANKERS, RETRIEVERS, stage_named, stage_of
from matinee.types import KnowsLikeness
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS

BOTH = [(RETRIEVERS, RETRIEVER_CONFIGS, 0), (RANKERS, RANKER_CONFIGS, 1)]


@pytest.mark.parametrize("stages", [RETRIEVERS, RANKERS, LIST_RANKERS])
def test_each_name_and_each_kind_of_settings_is_that_of_one_stage(stages):
    for name, stage in stages.items():
        assert stage.name == name
        assert stage_named(stages, name, "model") is stage
        assert stage_of(stages, stage.config()) is stage


def test_other_settings_and_other_names_are_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="type RankingConfig; expected one of RetrievalConfig, B"):
        stage_of(RETRIEVERS, mt.RankingConfig())
    with pytest.raises(ConfigError, match=r"'eas'; expected one of .*; did you mean ease\?"):
        stage_named(RETRIEVERS, "eas", "model")
    for name in ("mf", 3, None, ["ease"]):
        with pytest.raises(ConfigError, match="expected one of two-tower, blend, popularity"):
            stage_named(RETRIEVERS, name, "model")


@pytest.mark.parametrize(("stages", "configs", "place"), BOTH, ids=["retrievers", "rankers"])
def test_shapes_are_those_of_the_tensors(everyone, saved_model, stages, configs, place):
    train = saved_model.recommender.train
    own = (saved_model.recipe.retrieval, saved_model.recipe.ranking)[place]
    for name, model in everyone[place].items():
        config = configs.get(name, own)
        shapes = stages[name].shapes(config, len(train.users), len(train.items))
        assert {key: tensor.shape for key, tensor in model.tensors().items()} == shapes
        assert {tensor.dtype for tensor in model.tensors().values()} == {np.dtype(np.float32)}


def test_a_retriever_is_called_as_its_stage_and_knows_likeness_if_it_says_so(everyone):
    for name, model in everyone[0].items():
        assert model.source == name
        assert isinstance(model, KnowsLikeness) == RETRIEVERS[name].likens


@pytest.mark.parametrize(
    ("stages", "config"),
    [
        (RETRIEVERS, mt.RetrievalConfig(embedding_size=4, epochs=3, batch_size=256)),
        (RANKERS, mt.RankingConfig(embedding_size=4, epochs=3, batch_size=256, hidden=(4,))),
        (RETRIEVERS, RETRIEVER_CONFIGS["ials"]),
        (RANKERS, RANKER_CONFIGS["mf"]),
    ],
    ids=["two-tower retriever", "two-tower ranker", "ials", "mf"],
)
def test_what_is_trained_step_by_step_has_a_learning_curve(split, catalog, stages, config):
    fitted = stage_of(stages, config).fit(split.train, catalog, config, 7)
    steps = config.epochs if hasattr(config, "epochs") else config.sweeps
    assert len(fitted.losses) == steps
    assert all(type(loss) is float and math.isfinite(loss) for loss in fitted.losses)
    assert fitted.losses[-1] < fitted.losses[0]


def test_what_is_solved_at_once_has_none(split, catalog):
    for stages, config in (
        (RETRIEVERS, RETRIEVER_CONFIGS["popularity"]),
        (RETRIEVERS, RETRIEVER_CONFIGS["item-knn"]),
        (RETRIEVERS, RETRIEVER_CONFIGS["ease"]),
        (RANKERS, RANKER_CONFIGS["bias"]),
    ):
        assert stage_of(stages, config).fit(split.train, catalog, config, 7).losses == ()


def test_the_stage_trains_what_the_models_own_function_does(split, catalog):
    config = mt.RetrievalConfig(embedding_size=4, epochs=2, batch_size=256)
    ours = stage_of(RETRIEVERS, config).fit(split.train, catalog, config, 7).model
    theirs = mt.fit_retrieval(split.train, catalog, config, seed=7)
    assert ours.user_vectors.tobytes() == theirs.user_vectors.tobytes()
