import datetime as dt
import stat

import pytest

from cutis.vocabulary.errors import SafetyRefusal
from cutis.vocabulary.pseudonyms import Key, read_or_make_key, write_key

KEY = Key(b"k" * 32)
KEYS_THAT_ARE_NONE = ("}", ', "key": "no hex"}', ', "key": ""}', ', "key": "00ff"}', ', "key": 5}')


def test_a_pseudonym_needs_the_key_and_depends_on_kind_and_word():
    """Without the key nobody can try all patient numbers; with it the same person is recognised."""
    other = Key(b"o" * 32)

    assert KEY.pseudonym("patient", "P1") == KEY.pseudonym("patient", "P1")
    assert len({KEY.pseudonym("patient", "P1"), KEY.pseudonym("lesion", "P1"), other.pseudonym("patient", "P1")}) == 3
    assert len(KEY.pseudonym("patient", "P1")) == 16
    assert KEY.pseudonym("lesion", "P1", "2") != KEY.pseudonym("lesion", "P", "12")


def test_a_patient_s_days_move_together_by_half_a_year_at_most_and_never_not():
    """Intervals stay true; the day of a visit does not."""
    shifts = [KEY.shift(f"P{number}") for number in range(3000)]

    assert {min(shifts), max(shifts)} == {dt.timedelta(days=-182), dt.timedelta(days=182)}
    assert dt.timedelta(0) not in shifts
    assert len(set(shifts)) == 364
    assert KEY.shift("P1") == shifts[1]


def test_a_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    """Nothing is written before `write_key`; then the same key is found for ever."""
    key = read_or_make_key(tmp_path)
    untouched = list(tmp_path.iterdir())

    write_key(tmp_path, key)
    write_key(tmp_path, KEY)

    assert untouched == []
    assert read_or_make_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "pseudonym.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", '{"kind": "ke', *('{"kind": "key", "format": 1' + rest for rest in KEYS_THAT_ARE_NONE)]
)
def test_a_damaged_key_is_not_replaced(tmp_path, text):
    """A new key would turn every patient into a stranger."""
    (tmp_path / "pseudonym.key").write_text(text)

    with pytest.raises(SafetyRefusal, match="damaged") as refusal:
        read_or_make_key(tmp_path)

    assert "put the right one back" in refusal.value.mend
