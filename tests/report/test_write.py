"""The file: whole or not at all, and clear words about what is missing."""

import sys

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.report.write import check_report, write_report

NAME = "Synthetic world"


def test_writes_the_page(tmp_path, page, evaluation, split, catalog, film_vectors):
    path = tmp_path / "new" / "report.html"
    write_report(str(path), evaluation, split, catalog, data_name=NAME, film_vectors=film_vectors)
    assert path.read_bytes() == page.encode()


@pytest.mark.parametrize("package", ["jinja2", "matplotlib", "sklearn"])
def test_names_what_to_install(package, monkeypatch, tmp_path, evaluation, split, catalog):
    for name in list(sys.modules):
        if name.split(".")[0] == package or name.startswith("matinee.report."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / "report.html"
    with pytest.raises(ConfigError, match=rf'{package}.*pip install "matinee\[report\]"'):
        write_report(path, evaluation, split, catalog, data_name=NAME)
    assert not path.exists()


def test_refuses_vectors_of_other_films(tmp_path, evaluation, split, catalog):
    with pytest.raises(ConfigError, match="one row for each of the 90 films"):
        write_report(
            tmp_path / "report.html",
            evaluation,
            split,
            catalog,
            data_name=NAME,
            film_vectors=np.zeros((3, 2), np.float32),
        )


def test_refuses_another_catalogue(tmp_path, evaluation, split):
    other = mt.Catalog.of_titles([1, 2], ["One", "Two"])
    with pytest.raises(ConfigError, match="same films"):
        write_report(tmp_path / "report.html", evaluation, split, other, data_name=NAME)


def test_an_error_leaves_the_old_file(tmp_path, monkeypatch, evaluation, split, catalog):
    path = tmp_path / "report.html"
    path.write_text("old")

    def fails(*_):
        raise RuntimeError("no page")

    monkeypatch.setattr("matinee.report.page.render", fails)
    with pytest.raises(RuntimeError):
        write_report(path, evaluation, split, catalog, data_name=NAME)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["out.txt", "out", "folder.html"])
def test_what_could_not_be_written_is_refused_before_anything_is_measured(tmp_path, name):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError, match=rf"{name}; expected the name of an \.html file"):
        check_report(tmp_path / name)


def test_a_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"\.html"):
        check_report(tmp_path / "file" / "out.html")


def test_a_report_in_a_new_directory_is_welcome(tmp_path):
    check_report(tmp_path / "new" / "out.html")
