"""Writes an evaluation as one HTML file that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matinee.data.catalog import Catalog
from matinee.data.splits import Split
from matinee.errors import ConfigError
from matinee.evaluation.results import Evaluation
from matinee.files import atomic_file, can_be_written
from matinee.types import FloatArray

_EXTRA = ("jinja2", "markupsafe", "matplotlib", "sklearn")


def write_report(
    path: Path | str,
    evaluation: Evaluation,
    split: Split,
    catalog: Catalog,
    *,
    data_name: str,
    film_vectors: FloatArray | None = None,
) -> None:
    """Write an evaluation as a page; the same bytes for the same arguments.

    Args:
        path: of the file; what stands there is replaced once the page is whole.
        evaluation: what was measured.
        split: the last one that was measured on.
        catalog: the films.
        data_name: what the ratings are called, `MovieLens 100K`.
        film_vectors: float32 [n_items, d], for a map of the films; None leaves it out.

    Raises:
        ConfigError: a package of the extra `report` is missing, or vectors of other films.
    """
    catalog.check_items(split.train.items)
    if film_vectors is not None and (film_vectors.ndim != 2 or len(film_vectors) != len(catalog)):
        raise ConfigError(
            f"film_vectors of shape {film_vectors.shape}; expected one row for each of the "
            f"{len(catalog):,} films"
        )
    render = _renderer()
    page = render(evaluation, split, catalog, data_name, film_vectors)
    with atomic_file(Path(path)) as temporary:
        # The name of a directory may be no text at all.
        temporary.write_bytes(page.encode("utf-8", "replace"))


def check_report(path: Path) -> None:
    """Refuse a report that could not be written, before anything is measured.

    Raises:
        ConfigError: no .html file, a directory or none to write to, or the extra is missing.
    """
    if path.suffix != ".html" or not can_be_written(path):
        raise ConfigError(
            f"report {path}; expected the name of an .html file in a directory that can be written"
        )
    _renderer()


def _renderer() -> Callable[..., str]:
    """What makes the page.

    Raises:
        ConfigError: a package of the extra `report` is missing.
    """
    try:
        from matinee.report.page import render
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise ConfigError(
            f"a report needs {error.name}, which is not installed; "
            'run: pip install "matinee[report]"'
        ) from error
    return render
