import io
import sys

from matinee.console import progress_bar, say, sparkline


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


def test_a_bar_shows_the_curve_of_losses(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("Training", 3, "epochs") as advance:
        for epoch, loss in enumerate([8.0, 4.5, 1.0], 1):
            advance(epoch - 0.5)
            advance(epoch, loss)
    assert "loss █▅▁ 1" in terminal.getvalue()


def test_a_sparkline_is_as_high_as_its_values():
    assert sparkline([]) == ""
    assert sparkline([3.0]) == sparkline([5.0]) == "▁"
    assert sparkline(range(8)) == "▁▂▃▄▅▆▇█"
    assert sparkline([1.0, float("nan"), 0.0, float("inf")]) == "█?▁?"
    # The last of each two.
    assert sparkline([0, 7, 1, 0, 3, 7], width=3) == "█▁█"


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
