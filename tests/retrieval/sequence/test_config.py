import pytest

from matinee.errors import ConfigError
from matinee.retrieval.sequence.config import SequenceConfig


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"embedding_size": 0}, "embedding_size = 0"),
        ({"max_length": 1}, "max_length = 1; expected 2"),
        ({"patience": -1}, "patience = -1"),
        ({"dropout": 1.0}, r"dropout = 1.0; expected in \[0, 1\)"),
        ({"unknown_rate": float("nan")}, "unknown_rate = nan"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0"),
        ({"embedding_size": 6, "heads": 4}, "heads = 4; expected a divisor of embedding_size, 6"),
        ({"loss": "bce"}, "loss = 'bce'; expected one of full, sampled"),
        ({"reading": "rnn"}, "reading = 'rnn'; expected one of attention, bag"),
        ({"reading": "bag"}, "blocks = 2; expected 1 where a bag is read"),
        ({"loss": "sampled", "label_smoothing": 0.1}, "expected 0 where the loss is sampled"),
        ({"relevant_from": float("nan")}, "relevant_from = nan; expected finite stars"),
    ],
)
def test_settings_out_of_range_are_refused(settings, word):
    with pytest.raises(ConfigError, match=f"sequence.{word}" if "=" in word else word):
        SequenceConfig(**settings)
