"""Settings from a file, the environment and the command line."""

import dataclasses
from pathlib import Path

import pytest

from matinee.errors import ConfigError, NotFoundError
from matinee.service.keys import Keys, hash_of_key, new_key
from matinee.service.settings import PREFIX, Settings, load_settings

HASH = hash_of_key("mk_x")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "service.toml"
    path.write_text('model = "from-file"\nport = 1\nqueue = 5\nkeys = ["a:admin:' + HASH + '"]\n')
    return path


def test_what_is_said_later_counts(file):
    environment = {"MATINEE_PORT": "2", "MATINEE_QUEUE": "6", "PATH": "x", "MATINEE_CACHE": "y"}
    found = load_settings({"port": 3, "host": None}, environment, file)
    assert (found.model, found.port, found.queue, found.host) == ("from-file", 3, 6, "127.0.0.1")
    assert found.keys == (f"a:admin:{HASH}",)


def test_every_kind_of_value_is_read_from_the_environment():
    found = load_settings(
        {},
        {
            "MATINEE_MODEL": "m",
            "MATINEE_PAGE": "false",
            "MATINEE_RATE_PER_S": "2.5",
            "MATINEE_KEYS": f"a:admin:{HASH}, b:user=7:{HASH}",
        },
    )
    assert (found.page, found.rate_per_s, len(found.keys)) == (False, 2.5, 2)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "MATINEE_MODEL"),
        ({"MATINEE_PROT": "1"}, "did you mean MATINEE_PORT"),
        ({"MATINEE_PORT": "x"}, "expected a number"),
        ({"MATINEE_PORT": "65536"}, "65535"),
        ({"MATINEE_PAGE": "yes"}, "true or false"),
        ({"MATINEE_RATE_PER_S": "nan"}, "more than 0"),
        ({"MATINEE_BURST": "0"}, "at least 1"),
        ({"MATINEE_WORKERS": "0"}, "1 … 64"),
        ({"MATINEE_LOG_LEVEL": "loud"}, "log_level"),
    ],
)
def test_a_bad_setting_is_named(environment, message):
    model = {"MATINEE_MODEL": "m"} if environment else {}
    with pytest.raises(ConfigError, match=message):
        load_settings({}, environment | model)


def test_an_unknown_key_of_a_file_and_a_missing_file_are_named(file, tmp_path):
    file.write_text('model = "m"\nprot = 1\n')
    with pytest.raises(ConfigError, match="did you mean port"):
        load_settings({}, {}, file)
    with pytest.raises(NotFoundError):
        load_settings({}, {}, tmp_path / "none.toml")


@pytest.mark.parametrize(
    "entry",
    ["", "a", f"a:boss:{HASH}", f"a:user=:{HASH}", f"a b:admin:{HASH}", "a:admin:mk_secret"],
)
def test_an_entry_that_lets_nobody_in_is_refused_and_not_quoted(entry):
    with pytest.raises(ConfigError, match="name:role:hash") as caught:
        Settings("m", keys=(entry,))
    assert "secret" not in str(caught.value)


def test_every_setting_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Settings):
        assert f"`{PREFIX}{field.name.upper()}`" in text


def test_keys_are_known_by_their_hash_alone():
    key = new_key()
    keys = Keys([f"a:admin:{HASH}", f"b:user=7:{hash_of_key(key)}"])
    found = keys.caller_of(f"Bearer {key}")
    assert found is not None
    assert (found.name, found.role, found.user_id) == ("b", "user", "7")
    assert found.may_act_for("7")
    assert not found.may_act_for("8")
    assert keys.caller_of(f"bearer {key}") == found
    for other in (None, "", "Bearer", f"Basic {key}", f"Bearer {key}x", f"Bearer {HASH}", "\udcff"):
        assert keys.caller_of(other) is None
    assert len({new_key() for _ in range(100)}) == 100
