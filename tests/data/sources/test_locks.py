import threading

import pytest

from matinee.data.sources import locks
from matinee.data.sources.locks import claimed, locked
from matinee.errors import DataError


@pytest.fixture(params=[True, False], ids=["flock", "exclusive creation"])
def path(request, monkeypatch, tmp_path):
    if request.param and not locks._HAS_FLOCK:
        pytest.skip("this system has no flock")
    monkeypatch.setattr(locks, "_HAS_FLOCK", request.param)
    monkeypatch.setattr(locks, "_WAIT_S", 0.001)
    return tmp_path / "new" / "set.lock"


def test_one_at_a_time(path):
    inside, most = [], []

    def work():
        for _ in range(20):
            with locked(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80
    assert not path.exists()


def test_it_is_given_back_after_an_error(path):
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    with locked(path):
        assert path.exists()


def test_waiting_is_said_and_has_an_end(path, monkeypatch, capsys):
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.01)
    with locked(path), pytest.raises(DataError, match=r"set.lock for an hour"), locked(path):
        pass
    assert capsys.readouterr().err.count("Waiting for another process") == 1


def test_a_claim_does_not_wait(path):
    with claimed(path), pytest.raises(DataError, match=r"it holds .*set\.lock"), claimed(path):
        pass
    with claimed(path):
        assert path.exists()
    assert not path.exists()
