"""Every error that Matinee raises on purpose.

    MatineeError
    ├── ConfigError        a setting is unknown or out of range                  exit 2
    ├── DataError          ratings, films or archives that cannot be trusted     exit 3
    ├── NotFoundError      a user, film, file or column that is not there        exit 4
    ├── ModelFileError     a saved model that is damaged or of another kind      exit 5
    ├── DownloadError      the network did not give the data                     exit 6
    ├── LeakageError       a model asked about ratings that it was trained on    exit 7
    ├── StoreError         a store of ratings that is damaged or of another kind exit 8
    │   ├── StoreUnavailableError   one that cannot be read or written now       exit 9
    │   └── ConflictError           a call that contradicts an earlier one       exit 10
    └── WorkerLostError    a process of a cluster that died or failed            exit 11

Each message says what was given, what was expected and what to do. Whoever wants to catch them all
catches `MatineeError`; the command line turns each into one line and its exit code.
"""

from __future__ import annotations


class MatineeError(Exception):
    """Base of every error that Matinee raises on purpose."""

    exit_code = 1


class ConfigError(MatineeError, ValueError):
    """A setting is unknown or out of range."""

    exit_code = 2


class DataError(MatineeError, ValueError):
    """Ratings, films or archives that cannot be trusted."""

    exit_code = 3


class NotFoundError(MatineeError, LookupError):
    """A user, film, file or column that is not there."""

    exit_code = 4


class ModelFileError(MatineeError):
    """A saved model that is damaged or of another kind."""

    exit_code = 5


class DownloadError(MatineeError, OSError):
    """The network did not give the data."""

    exit_code = 6


class LeakageError(MatineeError, ValueError):
    """A model asked about ratings that it was trained on."""

    exit_code = 7


class StoreError(MatineeError):
    """A store of ratings that is damaged or of another kind."""

    exit_code = 8


class StoreUnavailableError(StoreError):
    """A store that cannot be read or written now: a full disk, a database that is away."""

    exit_code = 9


class ConflictError(StoreError):
    """A call that contradicts an earlier one."""

    exit_code = 10


class WorkerLostError(MatineeError):
    """A process of a cluster that died or failed, and with it the work that it was part of."""

    exit_code = 11
