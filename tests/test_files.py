import hashlib
import os
import stat

import pytest

from matinee.files import (
    atomic_directory,
    atomic_file,
    can_be_written,
    read_regular,
    sha256_of,
)

INTERRUPTIONS = [ValueError("broken"), KeyboardInterrupt(), SystemExit(1)]


def write_half(path, error):
    path.write_text("half")
    raise error


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_file_appears_whole_with_its_directories(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert names_in(path.parent) == ["file.txt"]


def test_a_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", INTERRUPTIONS)
def test_a_failure_keeps_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(error)), atomic_file(path) as temporary:
        write_half(temporary, error)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["file.txt"]


def test_tells_where_a_file_could_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    names = ("new", "file", "deep/er/new", "folder", "file/new")
    assert [can_be_written(tmp_path / name) for name in names] == [True] * 3 + [False] * 2


def test_a_directory_appears_whole_with_what_is_in_it(tmp_path):
    path = tmp_path / "a" / "model"
    with atomic_directory(path) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_text("new")
        assert not path.exists()
    assert (path / "inner" / "file").read_text() == "new"
    assert names_in(path.parent) == ["model"]


def test_a_directory_replaces_the_old_one_and_all_its_files(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    with atomic_directory(path) as temporary:
        (temporary / "new").write_text("new")
        assert names_in(path) == ["old"]
    assert names_in(path) == ["new"]
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize("error", INTERRUPTIONS)
def test_a_failure_keeps_the_old_directory_and_no_other(tmp_path, error):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(type(error)), atomic_directory(path) as temporary:
        write_half(temporary / "half", error)
    assert names_in(path) == ["old"]
    assert names_in(tmp_path) == ["model"]


def test_a_failure_between_the_renames_puts_the_old_directory_back(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    rename = type(path).rename

    def failing(self, target):
        if self.suffix == ".tmp":
            raise OSError("no room")
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", failing)
    with pytest.raises(OSError, match="no room"), atomic_directory(path) as temporary:
        (temporary / "new").write_text("new")
    assert names_in(path) == ["old"]
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize("after", [1, 2])
def test_ctrl_c_right_after_a_rename_leaves_a_directory(tmp_path, monkeypatch, after):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    rename, renames = type(path).rename, []

    def interrupted(self, target):
        done = rename(self, target)
        renames.append(target)
        if len(renames) == after:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(type(path), "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_directory(path) as temporary:
        (temporary / "new").write_text("new")
    assert names_in(path) == (["old"] if after == 1 else ["new"])
    assert names_in(tmp_path) == ["model"]


def test_a_link_to_a_directory_stays_a_link_to_the_new_one(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "current").symlink_to("v1")
    with atomic_directory(tmp_path / "current") as temporary:
        (temporary / "new").write_text("new")
    assert names_in(tmp_path) == ["current", "v1"]
    assert (tmp_path / "current").is_symlink()
    assert names_in(tmp_path / "v1") == ["new"]


def test_the_usual_rights_are_given_without_a_change_of_the_umask(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", None)
    plain = tmp_path / "plain"
    plain.write_text("")
    plain_directory = tmp_path / "plain_directory"
    plain_directory.mkdir()
    with atomic_file(tmp_path / "file") as temporary:
        temporary.write_text("")
    with atomic_directory(tmp_path / "directory"):
        pass
    for ours, usual in (("file", plain), ("directory", plain_directory)):
        mode = (tmp_path / ours).stat().st_mode
        assert stat.S_IMODE(mode) == stat.S_IMODE(usual.stat().st_mode)


def test_hashes_files_longer_than_a_block(tmp_path):
    content = b"x" * ((1 << 20) + 3)
    (tmp_path / "file").write_bytes(content)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_reads_a_regular_file_up_to_a_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345\r\n")
    assert read_regular(path, 7) == b"12345\r\n"
    with pytest.raises(OSError, match="7 bytes; expected at most 6"):
        read_regular(path, 6)


def test_reads_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "link", "a link"),
        (tmp_path / "pipe", "no regular file"),
        (tmp_path, "no regular file"),
        (tmp_path / "missing", "No such file"),
    ):
        with pytest.raises(OSError, match=reason):
            read_regular(path, 10)
