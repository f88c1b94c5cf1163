import pytest

from . import sets


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache directory, with the checksum of the tiny u.data as that of 100K's."""
    from matinee.data.sources import movielens

    monkeypatch.setenv("MATINEE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(movielens, "U_DATA_MD5", sets.md5(sets.u_data()))
    return tmp_path / "cache"
