from tests.fresh import run_python

# Python can only report what is raised here, not raise it.
CODE = (
    "from matinee import interrupts\n"
    "interrupts.watch()\n"
    "class Dying:\n"
    "    def __del__(self):\n"
    "        raise {error}\n"
    "Dying()\n"
    "print('goes on')\n"
)


def test_ctrl_c_where_nothing_can_catch_it_leaves_no_trace_in_the_output():
    done = run_python(CODE.format(error="KeyboardInterrupt"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


def test_other_errors_there_are_reported():
    done = run_python(CODE.format(error="ValueError('lost')"))
    assert done.stdout == "goes on\n"
    assert "ValueError: lost" in done.stderr
