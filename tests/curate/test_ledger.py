import json

import pytest

from cutis.curate.ledger import Ledger, Place, read_ledger, write_ledger
from cutis.curate.split import SplitPlan
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.pseudonyms import Key

KEY = Key(b"k" * 32)
PLAN = SplitPlan().to_dict()


def kept(folder):
    ledger = Ledger(plan=PLAN, places={"p1": Place("train", 3), "p2": Place("test", None)})
    write_ledger(folder / "split_ledger.json", ledger, KEY)
    return ledger


def test_a_ledger_is_read_as_it_was_written(tmp_path):
    """And an empty one stands at the beginning."""
    assert read_ledger(tmp_path, KEY, plan=PLAN) == Ledger(plan=PLAN)

    ledger = kept(tmp_path)

    assert read_ledger(tmp_path, KEY, plan=PLAN) == ledger


def test_a_ledger_without_its_key_is_refused(tmp_path):
    """Under another key nobody is recognised, and those who were trained on could be tested on."""
    kept(tmp_path)

    with pytest.raises(SafetyRefusal, match="another key"):
        read_ledger(tmp_path, Key(b"o" * 32), plan=PLAN)


@pytest.mark.parametrize(
    "change",
    [
        {"key_check": None},
        {"places": {"p1": ["train"]}},
        {"places": {"p1": ["elsewhere", 0]}},
        {"places": {"p1": 5}},
        {"places": []},
        {"plan": 3},
    ],
)
def test_a_damaged_ledger_is_refused(tmp_path, change):
    """Nothing can stand in for it."""
    kept(tmp_path)
    path = tmp_path / "split_ledger.json"
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))

    with pytest.raises(SafetyRefusal, match="damaged") as refusal:
        read_ledger(tmp_path, KEY, plan=PLAN)

    assert "put the right one back" in refusal.value.mend


def test_a_ledger_fits_the_dataset_that_names_it_or_its_forerunner(tmp_path):
    """After a kill between ledger and dataset the ledger is the newer one, which loses nobody."""
    path = tmp_path / "split_ledger.json"
    first = kept(tmp_path)
    named = sha256_of(path)
    write_ledger(path, first, KEY, named=named)

    assert read_ledger(tmp_path, KEY, plan=PLAN, named=named) == first
    assert read_ledger(tmp_path, KEY, plan=PLAN, named=sha256_of(path)) == first
    with pytest.raises(SafetyRefusal, match="gone"):
        read_ledger(tmp_path, KEY, plan=PLAN, named="0" * 64)
    path.unlink()
    with pytest.raises(SafetyRefusal, match="gone"):
        read_ledger(tmp_path, KEY, plan=PLAN, named=named)


def test_a_split_is_drawn_by_one_plan_only(tmp_path):
    """What was different then is said."""
    kept(tmp_path)

    with pytest.raises(UserError, match="by another plan: seed 0\n"):
        read_ledger(tmp_path, KEY, plan=SplitPlan(seed=1).to_dict())
