import stat
import struct
import zipfile
from contextlib import contextmanager

import pytest

from matinee.data.sources import archives
from matinee.data.sources.archives import Limits, extract, member_names
from matinee.errors import DataError, NotFoundError

RATINGS = b"1\t2\t3\t4\n" * 1000


def make_zip(path, *members, **options):
    """A zip of (name or ZipInfo, bytes) members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "set.zip"


@pytest.fixture
def refused(archive, tmp_path):
    """Checks that nothing is extracted, for a reason."""

    def check(reason, limits=None):
        with pytest.raises(DataError, match=reason) as error:
            extract(archive, tmp_path / "out", {"ml/u.data": "u.data"}, limits)
        assert "set.zip" in str(error.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["set.zip"]

    return check


def test_only_the_wanted_files_are_written(archive, tmp_path):
    make_zip(archive, ("ml/", b""), ("ml/u.data", RATINGS), ("ml/other", b"x"))
    extract(archive, tmp_path / "out", {"ml/u.data": "ratings"})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ratings"]
    assert (tmp_path / "out" / "ratings").read_bytes() == RATINGS
    assert member_names(archive) == ["ml/u.data", "ml/other"]


def test_unpacking_shows_how_far_it_has_come(archive, tmp_path, monkeypatch):
    bars = {}

    @contextmanager
    def bar(label, total, unit):
        yield bars.setdefault((label, total, unit), []).append

    monkeypatch.setattr(archives, "_LARGE", 16_000)
    monkeypatch.setattr(archives, "progress_bar", bar)
    make_zip(archive, ("a", RATINGS), ("b", RATINGS), ("c", RATINGS))
    extract(archive, tmp_path / "one", {"a": "a"})
    assert bars == {}
    extract(archive, tmp_path / "two", {"a": "a", "b": "b"})
    assert bars == {("Unpacking set.zip", 16_000, "bytes"): [8000, 16_000]}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil", "leads out of the directory"),
        ("ml/../../evil", "leads out of the directory"),
        ("/etc/evil", "leads out of the directory"),
        ("ml\\..\\evil", "backslash"),
        ("C:evil", "drive letter"),
        ("c:/evil", "drive letter"),
    ],
)
def test_a_name_that_leads_elsewhere_condemns_the_archive(archive, refused, name, reason):
    make_zip(archive, ("ml/u.data", RATINGS), (name, b"x"))
    refused(reason)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_link_or_a_device_condemns_the_archive(archive, refused, kind):
    link = zipfile.ZipInfo("ml/link")
    link.external_attr = (kind | 0o777) << 16
    make_zip(archive, ("ml/u.data", RATINGS), (link, b"/etc/passwd"))
    refused("is a link or a device")


def test_a_name_with_a_nul_condemns_the_archive(archive, refused):
    make_zip(archive, ("ml/u.data", RATINGS), ("ml/evilX.txt", b"x"))
    archive.write_bytes(archive.read_bytes().replace(b"ml/evilX.txt", b"ml/evil\0.txt"))
    refused("NUL")


def test_an_encrypted_entry_condemns_the_archive(archive, refused):
    make_zip(archive, ("ml/u.data", RATINGS))
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    archive.write_bytes(data)
    refused("is encrypted")


def test_a_name_twice_condemns_the_archive(archive, refused):
    with pytest.warns(UserWarning, match="Duplicate name"):
        make_zip(archive, ("ml/u.data", RATINGS), ("ml/u.data", b"other"))
    refused("stands in the archive twice")


def test_a_declared_size_past_the_limit_is_refused(archive, refused):
    make_zip(archive, ("ml/u.data", RATINGS))
    refused("claims 8,000 bytes; at most 7,999", Limits(member_bytes=7999))


def test_a_zip_bomb_is_refused(archive, refused):
    make_zip(archive, ("ml/u.data", bytes(20 << 20)))
    refused("zip bomb")


def test_a_bomb_that_lies_about_its_size_is_refused(archive, refused):
    make_zip(archive, ("ml/u.data", bytes(20 << 20)))
    data = archive.read_bytes()
    archive.write_bytes(data.replace(struct.pack("<I", 20 << 20), struct.pack("<I", 100)))
    refused("zip bomb|not a whole zip")


def test_too_many_entries_are_refused(archive, refused):
    make_zip(archive, *((f"ml/{n}", b"") for n in range(11)))
    refused("11 entries; expected at most 10", Limits(members=10))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(archive, refused, share):
    data = make_zip(archive, ("ml/u.data", RATINGS)).read_bytes()
    archive.write_bytes(data[: int(share * len(data))])
    refused("is not a whole zip")


def test_a_flipped_byte_is_found(archive, refused):
    make_zip(archive, ("ml/u.data", bytes(range(256)) * 50))
    data = bytearray(archive.read_bytes())
    data[60] ^= 0x55
    archive.write_bytes(data)
    refused("is not a whole zip")


def test_a_file_that_is_no_zip_is_refused(archive, refused):
    archive.write_text("userId,movieId\n")
    refused("is not a whole zip")


def test_what_is_missing_and_what_is_there_are_listed(archive, refused):
    make_zip(archive, ("ml/README", b"x"), ("ml/u.item", b"x"))
    refused("ml/u.data not in the archive, which holds ml/README, ml/u.item")


def test_no_archive_at_all_is_told(tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing.zip is not there"):
        member_names(tmp_path / "nothing.zip")


def test_an_old_directory_is_replaced_as_a_whole_or_stays(archive, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    make_zip(archive, ("ml/u.data", bytes(20 << 20)))
    with pytest.raises(DataError):
        extract(archive, out, {"ml/u.data": "u.data"})
    assert [path.name for path in out.iterdir()] == ["old"]
    make_zip(archive, ("ml/u.data", RATINGS))
    extract(archive, out, {"ml/u.data": "u.data"})
    assert [path.name for path in out.iterdir()] == ["u.data"]
