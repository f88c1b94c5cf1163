"""The same work by the libraries that one would use otherwise; nothing to run.

Part of `scale.py` and `ials_and_ease.py`. Each peer is given what Matinee's stage is given, runs as
it comes, on as many threads, and is imported before the clock is started.

    pip install implicit faiss-cpu pandas
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from environments import usable_cores
from scale_stages import LISTED, SEARCHES, WIDTH, Found, Job, Watch, split_of, vectors_of

# Lists are asked for so many users at most; a larger stage is reckoned up from them.
LISTED_USERS = 20_000
EASE_L2 = 400.0


def rated(train, dtype: type = np.float32) -> sparse.csr_matrix:
    """Who rated what: users x films, of ones."""
    shape = (len(train.users), len(train.items))
    ones = np.ones(len(train), dtype)
    return sparse.csr_matrix((ones, (train.user_index, train.item_index)), shape=shape)


def implicit_als(train, factors: int, sweeps: int):
    """From ratings in memory to vectors: three steps of conjugate gradients a row, the default."""
    from implicit.als import AlternatingLeastSquares

    with threadpool_limits(1, "blas"):  # As it asks for: it has threads of its own.
        model = AlternatingLeastSquares(
            factors=factors,
            iterations=sweeps,
            random_state=1,
            use_gpu=False,
            num_threads=usable_cores(),
        )
        model.fit(rated(train), show_progress=False)
    return model


def numpy_ease(train, l2: float = EASE_L2) -> np.ndarray:
    """The weights float64 [films, films] by the formula as it stands, in double precision."""
    matrix = rated(train, np.float64)
    gram = (matrix.T @ matrix).toarray()
    places = np.diag_indices(len(gram))
    gram[places] += l2
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[places] = 0
    return weights


def prepare(job: Job) -> Found:
    """Read, drop repeated pairs but the newest, number, sort, write; then split by time."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401

    watch = Watch()
    films = pd.read_parquet(job.folder / "films.parquet")
    table = pd.read_parquet(job.folder / "ratings.parquet")
    table = table.sort_values("timestamp", kind="stable")
    table = table.drop_duplicates(["user_id", "movie_id"], keep="last")
    user, users = pd.factorize(table["user_id"])
    film = pd.Index(films["movie_id"]).get_indexer(table["movie_id"])
    columns = {
        "user": user.astype(np.int32),
        "film": film.astype(np.int32),
        "rating": table["rating"].to_numpy(),
        "timestamp": table["timestamp"].to_numpy(),
    }
    cut = int(0.9 * len(table))
    for name, column in columns.items():
        np.save(job.folder / f"pandas-train-{name}.npy", column[:cut])
        np.save(job.folder / f"pandas-test-{name}.npy", column[cut:])
    pd.Series(users).to_frame("user_id").to_parquet(job.folder / "pandas-users.parquet")
    return watch.stop()


def ials(job: Job) -> Found:
    import implicit.als  # noqa: F401

    split, _ = split_of(job)
    watch = Watch()
    implicit_als(split.train, WIDTH, 1)
    return watch.stop()


def ease(job: Job) -> Found:
    split, _ = split_of(job)
    watch = Watch()
    numpy_ease(split.train)
    return watch.stop()


def index(job: Job) -> Found:
    import faiss

    vectors = vectors_of(job)
    faiss.omp_set_num_threads(usable_cores())
    watch = Watch()
    found = faiss.IndexFlatIP(WIDTH)
    found.add(vectors)
    for row in range(SEARCHES):
        found.search(vectors[row % len(vectors)][None], 10)
    return watch.stop()


def batch(job: Job) -> Found:
    """Lists of Matinee's own vectors, in memory; nothing is written."""
    from implicit.als import AlternatingLeastSquares

    import matinee as mt

    recommender = mt.load_model(job.folder / "model").recommender
    liked = rated(recommender.train)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=WIDTH, use_gpu=False, num_threads=usable_cores())
        model.user_factors = recommender.retriever.user_vectors
        model.item_factors = recommender.retriever.movie_vectors
        total = liked.shape[0]
        users = np.unique(np.linspace(0, total - 1, min(total, LISTED_USERS)).astype(np.int64))
        asked = liked[users]
        watch = Watch()
        model.recommend(users, asked, N=LISTED, filter_already_liked_items=True)
        found = watch.stop()
    part = len(users) / total
    return found | {name: found[name] / part for name in ("s", "processor_s")} | {"part": part}


@dataclass(frozen=True)
class Peer:
    """Who does a stage's work, what it is imported as, and the work."""

    name: str
    module: str
    run: Callable[[Job], Found]


PEERS: dict[str, Peer] = {
    "prepare": Peer("Pandas", "pandas", prepare),
    "ials": Peer("implicit", "implicit", ials),
    "ease": Peer("NumPy", "numpy", ease),
    "index": Peer("FAISS", "faiss", index),
    "batch": Peer("implicit", "implicit", batch),
}


def here() -> dict[str, Peer]:
    """The peers that are installed."""
    return {stage: peer for stage, peer in PEERS.items() if find_spec(peer.module) is not None}
