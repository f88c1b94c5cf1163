"""Disks that fail: one that forgets what was not synced, one whose writes fail."""
# ruff: noqa: N802 - SQLite's names

import random
import threading

import apsw

from matinee.store.sqlite import SqliteStore


class ForgetfulDisk(apsw.VFS):
    """Keeps beside every file what would be left of it if the power went now.

    A write is certain to last only when its file is synced after it. `cut` gives what a disk may
    then hold: all that was synced and, of what was not, any part, in any order, torn anywhere.
    """

    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()
        self.synced = {}
        self.pending = {}
        super().__init__(name, "")

    def xOpen(self, name, flags):
        return _ForgetfulFile(self, name, flags)

    def xDelete(self, name, sync_directory):
        super().xDelete(name, sync_directory)
        with self.lock:
            self.synced.pop(name, None)
            self.pending.pop(name, None)

    def cut(self, directory, seed):
        """Write to `directory` what is left; the path of the store there."""
        rng = random.Random(seed)
        with self.lock:
            synced = {name: bytes(content) for name, content in self.synced.items()}
            pending = {name: list(writes) for name, writes in self.pending.items()}
        first = None
        for name, content in synced.items():
            left = bytearray(content)
            for offset, data in pending.get(name, ()):
                fate = rng.random()
                if fate < 0.4:
                    continue
                kept = data if fate < 0.8 else data[: rng.randrange(len(data) + 1)]
                _write(left, offset, kept)
            path = directory / name.rsplit("/", 1)[-1]
            path.write_bytes(bytes(left))
            if path.suffix == ".db":
                first = path
        return first


class _ForgetfulFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        super().__init__("", name, flags)
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        with disk.lock:
            disk.synced.setdefault(self.path, bytearray())
            disk.pending.setdefault(self.path, [])

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        with self.disk.lock:
            self.disk.pending[self.path].append((offset, bytes(data)))

    def xTruncate(self, size):
        super().xTruncate(size)
        with self.disk.lock:
            # A truncation that lasts at once is the worst case for what was there.
            del self.disk.synced[self.path][size:]
            self.disk.pending[self.path] = [
                (offset, data) for offset, data in self.disk.pending[self.path] if offset < size
            ]

    def xSync(self, flags):
        super().xSync(flags)
        with self.disk.lock:
            for offset, data in self.disk.pending[self.path]:
                _write(self.disk.synced[self.path], offset, data)
            self.disk.pending[self.path].clear()


def _write(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class TroubledDisk(apsw.VFS):
    """A disk whose writes fail with `trouble`, an exception of APSW, while there is one."""

    def __init__(self, name):
        self.name = name
        self.trouble = None
        super().__init__(name, "")

    def xOpen(self, name, flags):
        return _TroubledFile(self, name, flags)


class _TroubledFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        super().__init__("", name, flags)
        self.disk = disk

    def xWrite(self, data, offset):
        if self.disk.trouble is not None:
            raise self.disk.trouble("in a test")
        super().xWrite(data, offset)


def cuts(directory, number, clients=4, seed=0):
    """Cut the power `number` times while clients write; how many acknowledged ratings were lost.

    Returns:
        Ratings acknowledged before the cuts (summed over them), lost, and cuts whose store was
        not sound.
    """
    disk = ForgetfulDisk(f"forgetful-{directory.name}")
    store = SqliteStore(directory / "live.db", vfs=disk.name)
    store.secret()
    acknowledged, done = [], threading.Event()

    def write(client):
        rng = random.Random(client)
        count = 0
        while not done.is_set():
            user, movie = f"{client}", f"{rng.randrange(40)}"
            written = store.put_rating(user, movie, rng.randrange(1, 6), at_s=float(count))
            if written.changed:
                acknowledged.append((user, movie, written.stars, count))
            count += 1

    threads = [threading.Thread(target=write, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    checked = lost = unsound = 0
    pause = random.Random(seed)
    try:
        for cut in range(number):
            done.wait(pause.random() * 0.02)
            before = list(acknowledged)
            place = directory / f"cut-{cut}"
            place.mkdir()
            left = SqliteStore(disk.cut(place, seed + cut))
            unsound += left.check() != []
            events = left.read(
                lambda session: session.execute("SELECT user_id, movie_id, stars, at_s FROM events")
            )
            lost += len(set(before) - {(u, m, stars, int(at)) for u, m, stars, at in events})
            unsound += len(events) != len(set(events))
            checked += len(before)
            left.close()
            for file in place.iterdir():
                file.unlink()
            place.rmdir()
    finally:
        done.set()
        for thread in threads:
            thread.join()
        store.close()
    return checked, lost, unsound
