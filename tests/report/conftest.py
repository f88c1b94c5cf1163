"""One evaluation and its page, read once."""

import pytest

from matinee.evaluation.results import Facts
from matinee.report.page import render
from tests.report.models import evaluated, seen, some_models


@pytest.fixture(scope="session")
def evaluation(split, catalog):
    curves = Facts(0, None, 0.1, {"retrieval": (3.0, 2.0, 1.5), "ranking": (1.0, 0.5)})
    return evaluated(split, catalog, some_models(split), both=curves)


@pytest.fixture(scope="session")
def film_vectors(split):
    """What the first users think of each film: float32 [films, 40]."""
    return seen(split).T[:, :40].copy()


@pytest.fixture(scope="session")
def page(evaluation, split, catalog, film_vectors):
    return render(evaluation, split, catalog, "Synthetic world", film_vectors)
