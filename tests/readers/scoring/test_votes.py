"""Votes counted per image."""

import numpy as np
import pytest

from cutis.readers.network import Network
from cutis.readers.scoring.votes import Votes, less, names_of, read_votes, renamed, scored_votes
from cutis.vocabulary.errors import UserError
from factories import a_bundle, a_taxonomy, a_truth, some_predictions

CASES = tuple(f"case{n:04d}" for n in range(30))


def _network(**fields):
    truth = np.arange(30) % 3
    predictions = some_predictions(cases=30, truth=truth.astype(np.int64), **fields)
    return Network(bundle=a_bundle(), predictions=predictions, predictions_sha256="0" * 64)


def _votes(name="all", *, right=3, wrong=1):
    counts = np.full((30, 3), 0)
    counts[np.arange(30), np.arange(30) % 3] = right
    counts[np.arange(30), (np.arange(30) + 1) % 3] += wrong
    return Votes(name=name, case_ids=CASES, counts=counts)


def test_every_image_counts_the_same():
    """Ten images with one wrong vote and twenty with ten right ones: two thirds, not 200 of 210."""
    counts = np.zeros((30, 3), dtype=np.int64)
    counts[np.arange(30), np.arange(30) % 3] = 10
    counts[:10] = np.eye(3, dtype=np.int64)[(np.arange(10) + 1) % 3]

    (group,) = scored_votes(
        [Votes(name="all", case_ids=CASES, counts=counts)], _network(), a_truth(), rounds=200
    ).groups

    assert group.estimates["readers/accuracy"].value == pytest.approx(2 / 3)
    assert (group.images, group.votes, group.median_votes) == (30, 210, 10)
    assert group.estimates["plurality/accuracy"].value == pytest.approx(2 / 3)


def test_the_network_stands_beside_on_the_same_images_and_the_interval_says_of_whom():
    """Differences are paired, and conditional on these readers."""
    scored = scored_votes([_votes()], _network(), a_truth(), rounds=200)

    (group,) = scored.groups
    found = group.estimates
    difference = found["network/accuracy"].value - found["readers/accuracy"].value
    assert found["readers/accuracy"].value == 0.75
    assert found["readers/sensitivity/a"].value == 0.75
    assert found["readers/specificity/a"].value == pytest.approx(1 - 0.25 / 2)
    assert found["network − readers/accuracy"].value == pytest.approx(difference)
    assert all("conditional on these readers" in each.method for each in found.values())
    assert "sensitivity_at_specificity/a" in " ".join(found)


def test_a_group_without_one_that_is_in_it(tmp_path):
    """All less some are the rest; what is no part of it is refused."""
    rest = less("rest", _votes(right=3), _votes("some", right=1, wrong=0))

    assert (rest.name, rest.counts.sum()) == ("rest", 30 * 3)
    scored = scored_votes(
        [rest, _votes("some", right=1, wrong=0)], _network(), a_truth(), between=[("some", "rest")], rounds=200
    )
    assert scored.between["some − rest"]["accuracy"].value == pytest.approx(1 - 2 / 3)
    with pytest.raises(UserError, match="'some' is no part of 'all'"):
        less("rest", _votes(right=1), _votes("some", right=2))


def test_columns_may_stand_in_any_order_and_under_any_word_of_the_taxonomy(tmp_path):
    """The header decides."""
    path = tmp_path / "votes.csv"
    path.write_text("image,C,disease a,b\nx,1,2,3\n")

    votes = read_votes("all", path, a_taxonomy(), case="image")

    assert votes.counts.tolist() == [[2, 3, 1]]
    assert renamed(votes, {"x": "case0001"}).case_ids == ("case0001",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("image,a,b\nx,1,2\n", "no column for 'c'"),
        ("picture,a,b,c\nx,1,2,3\n", "no column for 'image'"),
        ("image,a,b,c\nx,1,2,-3\n", "no count of votes"),
        ("image,a,b,c\nx,1,2,0.5\n", "no count of votes"),
        ("image,a,b,c\nx,1,2,3\nx,1,2,3\n", "'x' stands twice"),
        ("image,a,b,c\n", "there are no votes"),
    ],
)
def test_what_are_no_votes_is_refused(tmp_path, text, what):
    """Each with its place."""
    path = tmp_path / "votes.csv"
    path.write_text(text)

    with pytest.raises(UserError, match=what):
        read_votes("all", path, a_taxonomy(), case="image")


def test_images_that_the_network_never_saw_are_told():
    """Where none is left, the names may be the clinic's."""
    votes = renamed(_votes(), {case: f"ISIC_{case}" for case in CASES})

    with pytest.raises(UserError, match="none of 30 images of 'all' was answered by the network"):
        scored_votes([votes], _network(), a_truth(), rounds=200)


def test_names_and_values_are_told_apart():
    """Each name once."""
    assert dict(names_of(["a=b", "c=d=e"])) == {"a": "b", "c": "d=e"}
    with pytest.raises(UserError, match="'a' stands twice"):
        dict(names_of(["a=b", "a=c"]))
    with pytest.raises(UserError, match="names nothing"):
        dict(names_of(["a"]))
