"""Rooms that must stay free of the framework."""

import pytest

from tests.fresh import run_python

FREE_OF_KERAS = [
    "matinee.data.catalog",
    "matinee.data.ratings",
    "matinee.data.sources",
    "matinee.data.splits",
    "matinee.data.vocabulary",
    "matinee.index.exact",
    "matinee.evaluation.evaluate",
    "matinee.retrieval.retriever",
    "matinee.ranking.ranker",
    "matinee.recommender",
    "matinee.artifacts",
    "matinee.pipeline",
]


@pytest.mark.parametrize(
    "modules",
    [FREE_OF_KERAS[:5], FREE_OF_KERAS[5:7], FREE_OF_KERAS[7:]],
    ids=["data", "index and evaluation", "retriever to pipeline"],
)
def test_imports_no_framework(modules):
    done = run_python(
        f"import sys, {', '.join(modules)};"
        "print([name for name in ('keras', 'jax', 'tensorflow') if name in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_index_and_evaluation_need_numpy_alone_of_what_is_heavy():
    done = run_python(
        "import sys, matinee.index.exact, matinee.evaluation.metrics;"
        "print([name for name in ('polars', 'keras', 'jax', 'rich') if name in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr
