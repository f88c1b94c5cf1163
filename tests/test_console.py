import io
import sys

from matinee.console import progress_bar, say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_for_people_go_to_the_error_stream(capsys):
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_no_bar_is_drawn_where_nobody_watches(capsys):
    with progress_bar("Training", 10, "ratings") as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_what_is_done_at_which_rate(monkeypatch):
    for label, unit, expected in (
        ("Training", "ratings", ["Training", "100%", "ratings/s"]),
        ("Fetching", "bytes", ["Fetching", "10/10 bytes"]),
    ):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress_bar(label, 10, unit) as advance:
            advance(4)
            advance(10)
        assert all(part in terminal.getvalue() for part in expected)


def test_a_bar_within_a_bar_is_silent(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("Tuning", 2, "trials") as outer:
        with progress_bar("Training", 10, "ratings") as inner:
            inner(10)
        outer(2)
    assert "Tuning" in terminal.getvalue()
    assert "Training" not in terminal.getvalue()
    with progress_bar("Training", 10, "ratings") as advance:
        advance(10)
    assert "Training" in terminal.getvalue()
