import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cutis.curate.draw import FREE, deal

SHARES = np.array([0.65, 0.10, 0.10, 0.15])


def dealt(images, *, placed=None, shares=SHARES, strata=None, seed=0):
    images = np.asarray(images)
    return deal(
        images,
        shares=shares,
        placed=np.full(len(images), FREE) if placed is None else np.asarray(placed),
        order=np.lexsort((np.random.default_rng(seed).permutation(len(images)), -images.sum(axis=1))).argsort(),
        strata=images.shape[1] if strata is None else strata,
    )


def one_kind_each(kinds, sizes):
    return np.eye(len(set(kinds)), dtype=np.int64)[kinds] * np.asarray(sizes)[:, None]


def test_four_clusters_of_a_diagnosis_go_to_four_splits():
    """The rarest that a dataset may hold is in every split."""
    images = one_kind_each(np.repeat([0, 1], [4, 400]), np.ones(404, int))

    assert sorted(dealt(images)[:4]) == [0, 1, 2, 3]


def test_shares_are_met_in_images_and_in_clusters():
    """Large clusters are not drawn to the large split: the mean size is the same everywhere."""
    random = np.random.default_rng(1)
    kinds, sizes = random.choice(3, 900, p=[0.7, 0.25, 0.05]), random.geometric(0.5, 900)
    images = one_kind_each(kinds, sizes)

    splits = dealt(images)

    for k in range(3):
        own = kinds == k
        held = np.array([[(own & (splits == s)).sum(), sizes[own & (splits == s)].sum()] for s in range(4)])
        assert np.abs(held / held.sum(axis=0) - SHARES[:, None]).max() < 0.03


def test_one_huge_cluster_goes_where_there_is_room():
    """A patient with a third of all pictures is trained on, and fewer others with him."""
    images = one_kind_each(np.zeros(51, int), [100, *[4] * 50])

    splits = dealt(images)

    assert splits[0] == 0
    assert (splits[1:] == 0).mean() < 0.6


def test_a_split_of_share_zero_is_given_nothing():
    """A test that is named by date is not filled up by chance."""
    shares = np.array([0.65, 0.10, 0.10, 0.0])

    splits = dealt(np.ones((40, 2), int), placed=[3, 3, *[FREE] * 38], shares=shares)

    assert (splits == 3).tolist() == [True, True, *[False] * 38]


@given(
    arrays.arrays(np.int64, st.tuples(st.integers(1, 30), st.just(4)), elements=st.integers(0, 3)),
    st.data(),
)
def test_what_is_placed_stays_and_everything_is_dealt(images, data):
    """For any mix of diagnoses within clusters."""
    images[:, -1] += images.sum(axis=1) == 0
    placed = data.draw(arrays.arrays(np.int64, len(images), elements=st.integers(-1, 3)))

    splits = dealt(images, placed=placed, strata=3)

    assert (splits[placed != FREE] == placed[placed != FREE]).all()
    assert set(splits) <= {0, 1, 2, 3}
