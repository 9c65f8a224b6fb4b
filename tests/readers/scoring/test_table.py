"""Readings as arrays, and every kind of reading that is refused."""

from dataclasses import replace

import numpy as np
import pytest

from cutis.readers.scoring.table import require_sound, table_of
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.reading import Reading
from factories import a_truth, some_readings

CODES = ("a", "b", "c")


def _sound(readings, truth=None, **fields):
    return require_sound(readings, codes=CODES, truth=truth or a_truth(), where="reads.csv", **fields)


def _readings(**fields):
    return some_readings(a_truth().diagnosis, **fields)


def test_who_said_what_stands_in_rows_of_readers_and_columns_of_cases():
    """What was not read is told from none of these, and a truth that is no diagnosis of the study from both."""
    truth = replace(a_truth(cases=3), diagnosis={"case0000": "a", "case0001": "b", "case0002": "x"})
    said = [
        Reading(reader_id="r2", case_id="case0000", diagnosis="a", further=("b",), seconds=3.0),
        Reading(reader_id="r2", case_id="case0001", diagnosis="none"),
        Reading(reader_id="r1", case_id="case0002", diagnosis="c", confidence=0.5),
    ]

    table = table_of(said, codes=CODES, truth=truth)
    counting = table_of(said, codes=CODES, truth=truth, count_further=True)

    assert table.readers == ("r1", "r2")
    assert table.said.tolist() == [[-1, -1, 2], [0, 3, -1]]
    assert table.truth.tolist() == [0, 1, 3]
    assert table.right.tolist() == [[False, False, False], [True, False, False]]
    assert table.named[1, 0].tolist() == [True, False, False]
    assert counting.named[1, 0].tolist() == [True, True, False]
    assert not table.is_crossed
    assert table.ratings is None
    assert table.seconds[1, 0] == 3
    assert np.isnan(table.seconds[0]).all()


def test_ratings_count_where_every_answer_has_one_of_each_diagnosis():
    """One that lacks is none for all."""
    rated = [replace(each, ratings={"a": 0.5, "b": 0.25, "c": place / 100}) for place, each in enumerate(_readings())]

    table = table_of(rated, codes=CODES, truth=a_truth())
    lacking = table_of([replace(rated[0], ratings={"a": 1.0}), *rated[1:]], codes=CODES, truth=a_truth())

    assert table.ratings.shape == (4, 30, 3)
    assert lacking.ratings is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"case_id": "elsewhere"}, "unknown case 'elsewhere'"),
        ({"diagnosis": "MEL"}, "unknown diagnosis 'MEL'"),
        ({"further": ("MEL",)}, "unknown diagnosis 'MEL'"),
    ],
)
def test_an_unknown_case_or_diagnosis_is_named(change, what):
    """And what to do about it."""
    with pytest.raises(UserError, match=what) as caught:
        _sound([replace(_readings()[0], **change), *_readings()[1:]])

    assert caught.value.where == "reads.csv"
    assert caught.value.mend


def test_a_case_without_truth_is_refused_or_left_out_on_request():
    """Nobody can be right or wrong about it."""
    truth = a_truth()
    truth = replace(truth, diagnosis={case: code for case, code in truth.diagnosis.items() if case != "case0003"})

    with pytest.raises(UserError, match="case 'case0003' has no truth"):
        _sound(_readings(), truth)
    kept = _sound(_readings(), truth, drop_without_truth=True)

    assert len(kept) == 4 * 29


def test_one_reader_is_no_reader_study():
    """Nothing can be said of readers from one."""
    with pytest.raises(UserError, match="one reader only"):
        _sound(_readings(readers=1))


def test_readings_under_another_protocol_are_refused():
    """Whether all are under another one, or some under each."""
    old, new = "a" * 64, "b" * 64

    assert _sound(_readings(protocol_sha256=old), protocol_sha256=old)
    with pytest.raises(SafetyRefusal, match="changed after the first reading"):
        _sound(_readings(protocol_sha256=old), protocol_sha256=new)
    with pytest.raises(SafetyRefusal, match="changed after the first reading"):
        _sound([*_readings(protocol_sha256=old)[:60], *_readings(protocol_sha256=new)[60:]])
