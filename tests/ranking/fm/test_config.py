import pytest

import matinee as mt
from matinee.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"embedding_size": 0},
        {"sweeps": 3},
        {"implicit_size": -1},
        {"drift_leaves": -1},
        {"embedding_size": 8, "table_size": 7},
        {"samples": 0},
        {"sweeps": 40, "samples": 31},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"ranking.{list(wrong)[-1]} = .*; expected"):
        mt.FactorizationMachineConfig(**wrong)


def test_as_many_samples_as_draws_are_kept():
    assert mt.FactorizationMachineConfig(sweeps=40, samples=30).samples == 30
