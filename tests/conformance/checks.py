"""What every TopK must be."""

import numpy as np


def check_top_k(found, queries, k, n_items, exclude=None, allow=None):
    """min(k, eligible) items a query, none forbidden or twice, descending, ties by number."""
    width = min(k, n_items)
    assert found.items.shape == found.scores.shape == (queries, width)
    assert found.items.dtype == np.int32
    assert found.scores.dtype == np.float32
    for row in range(queries):
        allowed = set(range(n_items)) if allow is None else set(np.flatnonzero(allow).tolist())
        eligible = allowed - set([] if exclude is None else exclude[row].tolist())
        filled = min(width, len(eligible))
        items, scores = found.items[row].tolist(), found.scores[row].tolist()
        assert set(items[:filled]) <= eligible
        assert len(set(items[:filled])) == filled
        assert items[filled:] == [-1] * (width - filled)
        assert scores[filled:] == [-np.inf] * (width - filled)
        assert np.isfinite(scores[:filled]).all()
        places = list(zip([-score for score in scores[:filled]], items[:filled], strict=True))
        assert places == sorted(places)
