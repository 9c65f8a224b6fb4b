import pytest

from cutis.curate.ledger import Ledger, Place, read_ledger, write_ledger
from cutis.curate.pseudonyms import Key
from cutis.curate.split import SplitPlan
from cutis.vocabulary.errors import SafetyRefusal, UserError

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


def test_a_split_is_drawn_by_one_plan_only(tmp_path):
    """What was different then is said."""
    kept(tmp_path)

    with pytest.raises(UserError, match="by another plan: seed 0\n"):
        read_ledger(tmp_path, KEY, plan=SplitPlan(seed=1).to_dict())
