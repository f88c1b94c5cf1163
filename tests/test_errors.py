import inspect
import re

from matinee import errors


def kinds():
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


def test_every_error_is_a_matinee_error_with_an_exit_code_of_its_own():
    assert all(issubclass(kind, errors.MatineeError) for kind in kinds())
    codes = [kind.exit_code for kind in kinds()]
    assert sorted(codes) == list(range(1, len(codes) + 1))


def test_the_drawn_tree_is_the_real_one():
    drawn = dict(re.findall(r"── (\w+) .* exit (\d+)", errors.__doc__))
    real = {kind.__name__: str(kind.exit_code) for kind in kinds()}
    assert drawn == {name: code for name, code in real.items() if name != "MatineeError"}
