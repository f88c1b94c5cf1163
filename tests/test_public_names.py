import importlib

import pytest

import matinee as mt
from tests.fresh import run_matinee, run_python

HEAVY = ("keras", "jax", "tensorflow", "polars", "numpy", "safetensors", "rapidfuzz", "httpx")


def test_names_are_sorted_and_unique():
    assert mt.__all__ == sorted(set(mt.__all__))


@pytest.mark.parametrize("name", mt.__all__)
def test_each_name_is_there_and_documented(name):
    value = getattr(mt, name)
    assert value.__doc__
    assert value.__module__.startswith("matinee.")
    assert getattr(importlib.import_module(value.__module__), name) is value


def test_dir_shows_the_names_and_the_version():
    assert dir(mt) == sorted([*mt.__all__, "__version__"])
    assert mt.__version__.count(".") == 2


def test_each_name_has_a_home_and_each_home_is_public():
    assert sorted(mt._HOME_OF) == mt.__all__


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        mt.nonsense  # noqa: B018


def test_a_star_import_brings_them_all():
    done = run_python("from matinee import *; print(sorted(n for n in dir() if n[0] != '_'))")
    assert done.stdout.strip() == str(sorted(mt.__all__)), done.stderr


def test_the_package_is_typed():
    import matinee

    assert (importlib.resources.files(matinee) / "py.typed").is_file()


def loaded(code):
    done = run_python(
        f"import sys; {code}; "
        f"print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.split()


def test_importing_matinee_loads_nothing_heavy():
    assert loaded("import matinee; dir(matinee)") == []


def test_help_loads_nothing_heavy():
    for words in ([], ["train"], ["data", "fetch"], ["model", "verify"]):
        code = (
            f"from matinee.cli.app import app; app({[*words, '--help']!r}, standalone_mode=False)"
        )
        assert loaded(code) == []


def test_recommending_from_a_saved_model_loads_no_framework(model_directories):
    done = run_python(
        "import sys; from pathlib import Path; import matinee as mt;"
        "mt.load_model(Path(sys.argv[1])).recommender.recommend(user='1');"
        "print([name for name in ('keras', 'jax', 'tensorflow') if name in sys.modules])",
        model_directories["default"],
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_version_is_that_of_the_package():
    from importlib.metadata import PackageNotFoundError, version

    try:
        assert version("matinee") == mt.__version__
    except PackageNotFoundError:
        pytest.skip("not installed")


def test_help_is_the_same_in_a_fresh_process():
    done = run_matinee("--help")
    assert done.returncode == 0
    assert "Matinee recommends films" in done.stdout
