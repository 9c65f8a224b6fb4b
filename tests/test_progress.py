"""Progress goes to standard error and changes nothing of what is done."""

import operator

import pytest

from cutis import progress
from cutis.progress import ITEMS_WORTH_A_PROCESS, cores, say, track, track_parallel


def test_items_come_through_in_order(capsys):
    """Progress is told beside them, never on standard output."""
    assert list(track("abc", "spelling", total=3)) == ["a", "b", "c"]

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "spelling: 3 of 3, 0 s\n"


def test_long_work_tells_the_time_left(capsys, monkeypatch):
    """A line every few seconds where there is no terminal; what was done before a stop counts as done."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)

    list(track("abc", "spelling", total=5, done=2))

    assert capsys.readouterr().err.splitlines() == ["spelling: 4 of 5, 0 s left", "spelling: 5 of 5, 0 s"]


def test_a_slow_start_does_not_frighten(capsys, monkeypatch):
    """Starting processes takes its time once; the time left is reckoned without it."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    clock = iter([0.0, 100.0, 101.0, 102.0, 103.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))

    list(track("abc", "spelling", total=3))

    assert capsys.readouterr().err.splitlines() == ["spelling: 2 of 3, 1 s left", "spelling: 3 of 3, 1 min 43 s"]


def test_on_a_terminal_a_bar_is_drawn(capsys, monkeypatch):
    """The items come through all the same, and standard output stays clean."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    assert list(track("abc", "spelling", total=3)) == ["a", "b", "c"]

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "spelling" in captured.err


@pytest.mark.parametrize("processes", [1, 2])
def test_parallel_work_keeps_the_order(processes):
    """One process or several: the same results in the same order."""
    items = range(2 * ITEMS_WORTH_A_PROCESS)

    assert list(track_parallel(operator.neg, items, "turning", processes=processes)) == [-n for n in items]


def test_parallel_work_on_nothing_is_nothing():
    """An empty archive is no error here."""
    assert list(track_parallel(operator.neg, [], "turning")) == []


def test_where_the_system_does_not_say_which_cores_are_ours_all_are_counted(monkeypatch):
    """As on macOS; at least one there is."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)

    assert cores() == 1


def test_an_error_comes_back_from_a_worker():
    """It is raised where the results are asked for."""
    items = [*range(2 * ITEMS_WORTH_A_PROCESS), "word"]

    with pytest.raises(TypeError):
        list(track_parallel(operator.neg, items, "turning", processes=2))


def test_a_word_beside_the_answer_goes_to_standard_error(capsys):
    """Standard output belongs to the answer."""
    say("by the way")

    assert capsys.readouterr() == ("", "by the way\n")
