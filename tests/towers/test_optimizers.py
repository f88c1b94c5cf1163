from typing import get_args

import pytest

from matinee.config import OptimizerName
from matinee.towers.backend import keras
from matinee.towers.optimizers import make_optimizer


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_makes_the_optimizer_of_that_name_and_rate(name):
    optimizer = make_optimizer(name, 0.25)
    assert isinstance(optimizer, keras.optimizers.Optimizer)
    assert type(optimizer).__name__.lower() == name
    assert float(optimizer.learning_rate) == 0.25
