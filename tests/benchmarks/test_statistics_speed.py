"""What is set beside scikit-learn is the same set of figures, and its memory is that of one study."""

import pytest


@pytest.fixture
def speed(benchmark_named):
    """The benchmark."""
    return benchmark_named("statistics_speed")


def test_the_loop_over_scikit_learn_gives_the_same_figures(speed):
    """All of them, in each round that is timed; so the times compare."""
    seconds, largest, figures = speed.loop(speed.invented(600), 2)

    assert seconds > 0
    assert largest < 1e-9
    assert figures == len(speed.by_scikit_learn(speed.invented(600).probabilities, speed.invented(600).truth))


def test_the_page_tells_growth_from_size_to_size(speed):
    """Twice the pictures in twice the time and twice the memory beyond the study is growth in proportion."""
    smaller = speed.Taken(pictures=100, figures=9, prepared=1.0, answered=2.0, before=50.0, peak=60.0)
    larger = speed.Taken(pictures=200, figures=9, prepared=2.0, answered=4.0, before=55.0, peak=75.0)

    page = speed.growth([smaller, larger])

    assert page[-1] == "| 200 | 2.00 | 4.00 | 1.00 | 75 | 20 | 1.00 |"
