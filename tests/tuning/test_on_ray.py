"""Trials on a real Ray cluster: what one process tries, and the same recipe."""

import json

import pytest

from tests.fresh import run_matinee

pytest.importorskip("ray", reason='Ray is not installed: pip install "matinee[ray]"')


def told_of(csv_files, out, *words):
    ratings, films = csv_files
    done = run_matinee(
        *("tune", "ease", "--data", ratings, "--films", films, "--seed", 7, "--trials", 4),
        *("--out", out, "--at-once", 4, "--json", *words),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["stages"]["retrieval"]


def test_the_cluster_tries_what_one_process_tries(csv_files, tmp_path):
    here = told_of(csv_files, tmp_path / "here.toml")
    there = told_of(csv_files, tmp_path / "there.toml", "--engine", "ray")
    for own, other in zip(here["trials"], there["trials"], strict=True):
        assert own["settings"] == other["settings"]
        assert own["value"] == pytest.approx(other["value"], rel=1e-6)
    assert (tmp_path / "there.toml").read_text() == (tmp_path / "here.toml").read_text()
