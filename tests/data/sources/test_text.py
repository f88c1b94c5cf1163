import gzip
from contextlib import contextmanager

import pytest

from matinee.data.sources import archives, check_data, load_catalog, load_ratings
from matinee.errors import DataError

GOOD = "userId,movieId,rating,timestamp\n7,100,4.5,30\n7,200,3,10\n9,100,0.5,20\n"


@pytest.mark.parametrize("load", [load_ratings, load_catalog, check_data])
def test_a_gzip_bomb_is_refused(tmp_path, load):
    content = "userId,movieId,rating,title\n" + "1,1,3,x\n" * (1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(content.encode()))
    with pytest.raises(DataError, match=r"unpacks to more than [0-9,]+ bytes from .*gzip bomb"):
        load(path)


def test_reading_a_large_table_shows_how_far_it_has_come(tmp_path, monkeypatch):
    bars = {}

    @contextmanager
    def bar(label, total, unit):
        done = bars.setdefault((label, total, unit), [])
        yield done.append

    monkeypatch.setattr(archives, "_LARGE", 1)
    monkeypatch.setattr(archives, "progress_bar", bar)
    path = tmp_path / "ratings.csv"
    path.write_text(GOOD)
    load_ratings(path)
    size = len(GOOD)
    assert bars == {
        ("Looking through ratings.csv", size, "bytes"): [size],
        ("Reading ratings.csv", size, "bytes"): [size],
    }
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(gzip.compress((GOOD + "1,1,NaN,1\n").encode()))
    assert len(check_data(path)) == 1
    packed = path.stat().st_size
    assert bars["Looking through bad.csv.gz", packed, "bytes"][-1] == packed
    assert ("Reading bad.csv.gz", packed, "bytes") in bars
