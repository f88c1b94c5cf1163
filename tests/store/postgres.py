"""A PostgreSQL of the tests' own, from the machine's package."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


def binaries():
    """Where the newest server's programs are; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running():
    """Start a server that listens at a socket alone; yields its address, ends it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="matinee-postgres-"))
    # It refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)

    def run(name, *arguments):
        subprocess.run(
            [binaries() / name, *arguments],
            check=True,
            user=user,
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    data = home / "data"
    try:
        run("initdb", "-D", data, "-U", "matinee", "-A", "trust", "--no-sync")
        options = f"-k {home} -c listen_addresses= -c max_connections=40"
        run("pg_ctl", "-D", data, "-w", "-o", options, "-l", home / "log", "start")
        try:
            yield f"postgresql://matinee@/postgres?host={home}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)
