import pytest

import matinee as mt
from matinee.stages import RANKERS, RETRIEVERS
from matinee.tuning.spaces import RANKER_SPACES, RETRIEVER_SPACES, Choice, Real, Whole
from matinee.tuning.tune import TUNABLE

BOTH = [(RETRIEVERS, RETRIEVER_SPACES), (RANKERS, RANKER_SPACES)]


@pytest.mark.parametrize(("stages", "spaces"), BOTH, ids=["retrievers", "rankers"])
def test_every_model_has_a_space_of_its_own_settings(stages, spaces):
    assert spaces.keys() == stages.keys()
    for name, space in spaces.items():
        assert space
        assert space.keys() <= stages[name].config.__dataclass_fields__.keys()


@pytest.mark.parametrize("name", TUNABLE)
def test_what_is_shipped_lies_in_the_space_that_is_searched(name):
    recipe = mt.load_recipe(name)
    for (stages, spaces), config in zip(BOTH, (recipe.retrieval, recipe.ranking), strict=True):
        model = next((m for m, stage in stages.items() if stage.config is type(config)), None)
        for setting, space in spaces.get(model, {}).items():
            value = getattr(config, setting)
            if isinstance(space, Choice):
                assert value in space.options
            else:
                assert isinstance(value, int if isinstance(space, Whole) else float)
                assert space.low <= value <= space.high


@pytest.mark.parametrize(("stages", "spaces"), BOTH, ids=["retrievers", "rankers"])
@pytest.mark.parametrize("end", [0, -1])
def test_the_ends_of_each_space_are_settings(stages, spaces, end):
    for name, space in spaces.items():
        stages[name].config(
            **{
                setting: kind.options[end]
                if isinstance(kind, Choice)
                else (kind.low, kind.high)[end]
                for setting, kind in space.items()
            }
        )


def test_a_choice_is_kept_as_text():
    choice = Choice(((), (64,), (64, 32)))
    assert choice.names == ("()", "(64,)", "(64, 32)")
    for option in choice.options:
        assert choice.decoded(choice.encoded(option)) == option


def test_numbers_are_kept_as_they_are():
    assert Real(1.0, 2.0).decoded(Real(1.0, 2.0).encoded(1.5)) == 1.5
    assert Whole(1, 8).decoded(Whole(1, 8).encoded(4)) == 4
