import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.artifacts.checks import assert_refused, edit_tensors, reseal


@pytest.mark.parametrize("file", ["retrieval.safetensors", "ranking.safetensors"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused_though_the_hashes_fit(copy, file, value):
    vectors = load_file(copy / file)["movie_vectors"]
    vectors[3, 1] = value
    edit_tensors(copy / file, movie_vectors=vectors)
    reseal(copy)
    assert_refused(copy, file, "movie_vectors", "finite")


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("retrieval.safetensors", {"user_vectors": np.ones((5, 6), np.float32)}),
        ("retrieval.safetensors", {"user_vectors": np.ones((121, 5), np.float32)}),
        ("retrieval.safetensors", {"user_vectors": np.ones(121, np.float32)}),
        ("retrieval.safetensors", {"user_vectors": None}),
        ("retrieval.safetensors", {"movie_vectors": np.ones((5, 6), np.float32)}),
        ("retrieval.safetensors", {"movie_vectors": np.ones((90, 6), np.float64)}),
        ("retrieval.safetensors", {"movie_bias": np.ones(4, np.float32)}),
        ("retrieval.safetensors", {"movie_offset": np.ones(4, np.float32)}),
        ("retrieval.safetensors", {"one_more": np.ones(4, np.float32)}),
        ("ranking.safetensors", {"user_vectors": np.ones((5, 6), np.float32)}),
        ("ranking.safetensors", {"user_vectors": np.ones(121, np.float32)}),
        ("ranking.safetensors", {"user_bias": np.ones(5, np.float32)}),
        ("ranking.safetensors", {"movie_bias": np.ones((91, 1), np.float32)}),
        ("ranking.safetensors", {"mean": np.ones(2, np.float32)}),
        ("ranking.safetensors", {"kernel_0": None}),
        ("ranking.safetensors", {"kernel_0": np.ones((5, 8), np.float32)}),
        ("ranking.safetensors", {"kernel_1": np.ones((8, 2), np.float32)}),
        ("ranking.safetensors", {"bias_1": np.ones(2, np.float32)}),
        ("ranking.safetensors", {"one_more": np.ones(4, np.float32)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_tensors_of_other_shapes_are_refused_though_the_hashes_fit(copy, file, changes):
    edit_tensors(copy / file, **changes)
    reseal(copy)
    assert_refused(copy, str(copy))
