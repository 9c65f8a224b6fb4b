"""What is wished for: files, settings and contradictions."""

import pytest

from cutis.readers.study import Study, read_study, require_known
from cutis.vocabulary.errors import UserError


def test_a_setting_goes_over_the_file(tmp_path):
    """Both are read, and the setting wins."""
    path = tmp_path / "study.toml"
    path.write_text('title = "Eight of fourteen"\nreaders = 280\n')

    study = read_study(path, ("readers=12", 'shown=["age"]'))

    assert (study.title, study.readers, study.shown) == ("Eight of fourteen", 12, ("age",))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (("reader=3",), "unknown key 'reader'"),
        (("readers=0",), "readers: "),
        (("per_diagnosis=3", "cases=9"), "both given"),
        (('diagnoses=["a"]',), "no question"),
        (("hypothesis=non-inferiority",), "needs a margin"),
        (("practice_split=test",), "practice cases never come from"),
        (("split=tune", "practice_split=test"), "practice cases never come from the test split"),
        (("readers=10", "reads_per_case=3"), "no equal shares"),
        (("design=sequential", "repeated=2"), "in one sitting"),
        (("design=crossover", "aid=[]"), "shows nothing"),
        (("measure=auc/a",), "no ROC curve"),
        (("readers",), "is no setting"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_drawn(settings, what):
    """Each with the reason."""
    with pytest.raises(UserError, match=what):
        read_study(None, settings)


def test_unknown_diagnoses_and_measures_are_named_with_the_known_ones():
    """A subset keeps the dataset's order."""
    assert require_known(Study(diagnoses=("c", "a")), ("a", "b", "c"), where="here") == ("a", "c")
    with pytest.raises(UserError, match="unknown diagnosis 'x'"):
        require_known(Study(diagnoses=("a", "x")), ("a", "b"), where="here")
    with pytest.raises(UserError, match="unknown measure 'sensitivity/b'"):
        require_known(Study(diagnoses=("a", "c"), measure="sensitivity/b"), ("a", "b", "c"), where="here")
