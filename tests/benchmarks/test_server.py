"""What the page on the clinic's server says of what was measured."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from PIL import Image

from cutis.imaging.quality import measure_quality


@pytest.fixture
def server(benchmark_named):
    """The script."""
    return benchmark_named("server")


def test_a_slope_is_that_of_the_answers_after_the_caches_are_full(server):
    """What is taken at the start is not growth."""
    filling = [(number, 100 + number / 10, 40.0) for number in range(250, 1000, 250)]
    steady = [(number, 200 + number / 2000, 40.0) for number in range(1000, 5001, 250)]

    lines = "\n".join(server.of_memory(filling + steady, sizes=server.Sizes()))

    assert "From answer 1000 on the server grows by 0.50 MB in 1,000 answers," in lines
    assert "and its decoder by 0.00." in lines


def test_what_fails_is_counted_and_what_is_odd_is_named(server):
    """An answer of 500, one of 503, once not well; and a line that was cut."""
    statuses = Counter({"201": 40, "429": 7, "500": 1, "503": 1, "ConnectionResetError": 2})
    crowd = server.Crowd(statuses, [0.1] * 40, [0.01] * 99 + [0.3], unwell=1)

    cells = [cell.strip() for cell in server.row_of_crowd("16", crowd).strip("|").split("|")]

    assert cells[:2] == ["16", "40"]
    assert cells[4:7] == ["7", "3", "ConnectionResetError: 2"]
    assert float(cells[7]) == pytest.approx(0.013, abs=0.001)


def test_pictures_that_are_sent_are_good_enough_to_be_judged(server):
    """Else nothing but a refusal would be timed."""
    for size in (*server.PICTURES.values(), (300, 225)):
        with Image.open(io.BytesIO(server.a_jpeg(*size))) as picture:
            assert picture.size == size
            assert measure_quality(picture).marks == ()
