"""A new case comes to lie beside those it is like, and nothing else moves."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from cutis.runtime.atlas import Atlas, affinities, nearest, place, read_atlas, write_atlas
from cutis.vocabulary.errors import UserError

NEW = 40


@pytest.fixture(scope="module")
def mapped():
    """Six groups of cases laid out by openTSNE, and new cases of the same groups."""
    from openTSNE import TSNE

    random = np.random.default_rng(0)
    groups = np.arange(300 + NEW) % 6
    features = (3 * random.normal(size=(6, 20))[groups] + random.normal(size=(len(groups), 20))).astype(np.float32)
    embedding = TSNE(neighbors="exact", random_state=0, n_iter=250, n_jobs=1).fit(features[:300])
    return embedding, features[:300], features[300:], groups[300:]


def _atlas(features, places):
    width = features.shape[1]
    return Atlas(
        mean=np.zeros(width, np.float32),
        axes=np.eye(width, dtype=np.float32),
        features=features,
        places=np.array(places, np.float64),
    )


def test_a_new_case_is_placed_where_opentsne_places_it(mapped):
    """In numpy alone: the same neighbourhood, and no farther than two hundredths of the map's size."""
    embedding, features, new, groups = mapped
    expected = np.asarray(embedding.transform(new, perplexity=5))
    atlas = _atlas(features, embedding)

    found = place(atlas, new)

    size = np.hypot(*np.ptp(atlas.places, axis=0))
    apart = np.hypot(*(found.places - expected).T) / size
    assert np.median(apart) < 0.002
    assert np.quantile(apart, 0.9) < 0.02
    beside = np.linalg.norm(found.places[:, None] - atlas.places, axis=2).argmin(axis=1)
    assert (beside % 6 == groups).all()


def test_a_case_of_the_map_placed_again_lies_near_itself(mapped):
    """Nothing of the map has moved, and it is its own nearest neighbour."""
    embedding, features, _, _ = mapped
    atlas = _atlas(features, embedding)
    before = atlas.places.copy()

    again = place(atlas, features[:60])

    size = np.hypot(*np.ptp(before, axis=0))
    assert (again.neighbours[:, 0] == np.arange(60)).all()
    assert (np.hypot(*(again.places - before[:60]).T) < 0.02 * size).all()
    np.testing.assert_array_equal(atlas.places, before)


def test_each_case_is_placed_as_if_it_came_alone(mapped):
    """Company does not matter, and a second asking gives the same place."""
    embedding, features, new, _ = mapped
    atlas = _atlas(features, embedding)

    together = place(atlas, new[:5]).places

    for number in range(5):
        np.testing.assert_array_equal(place(atlas, new[number : number + 1]).places[0], together[number])


def test_a_case_comes_to_rest_where_no_step_to_any_side_is_better(mapped):
    """At the end the divergence, counted here anew, is lower than all around."""
    embedding, features, new, _ = mapped
    atlas = _atlas(features, embedding)
    found = place(atlas, new)

    def divergence(point, row):
        pulls = affinities(found.distances[row : row + 1, :15], perplexity=5)[0]
        near = 1 / (1 + np.square(point - atlas.places).sum(axis=1))
        return np.log(near.sum()) - 1.5 * pulls @ np.log(near[found.neighbours[row, :15]])

    for row in range(10):
        here = divergence(found.places[row], row)
        around = [
            divergence(found.places[row] + 0.01 * np.array(side), row) for side in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        assert here < min(around)


def test_neighbours_are_the_nearest_and_their_pull_has_the_perplexity():
    """Against every distance; the entropy of the pulls is the logarithm of what was asked for."""
    random = np.random.default_rng(0)
    atlas = _atlas(random.normal(size=(200, 8)).astype(np.float32), random.normal(size=(200, 2)))
    points = random.normal(size=(7, 8)).astype(np.float32)

    rows, distances = nearest(atlas, points, count=30)
    pulls = affinities(distances, perplexity=6)

    every = np.linalg.norm(points[:, None] - atlas.features, axis=2)
    np.testing.assert_array_equal(rows, every.argsort(axis=1)[:, :30])
    np.testing.assert_allclose(pulls.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(-(pulls * np.log(pulls)).sum(axis=1)), 6, rtol=1e-6)


@pytest.mark.parametrize("cases", [10, 26])
def test_a_small_map_takes_a_new_case_too(cases):
    """Even of ten cases, all equal to the new one."""
    places = np.random.default_rng(0).normal(size=(cases, 2))

    found = place(_atlas(np.ones((cases, 4), np.float32), places), np.ones((1, 4), np.float32))

    assert np.isfinite(found.places).all()
    assert (np.abs(found.places) <= np.abs(places).max()).all()


def test_nobody_new_is_no_error():
    """An atlas without anyone asked for places nobody."""
    assert place(
        _atlas(np.eye(12, dtype=np.float32), np.eye(12)[:, :2]), np.zeros((0, 12), np.float32)
    ).places.shape == (0, 2)


@pytest.mark.parametrize(
    ("features", "what"),
    [(np.full((1, 4), np.nan, np.float32), "nothing finite"), (np.ones((1, 5), np.float32), "5 features do not fit")],
)
def test_what_cannot_be_placed_is_refused(features, what):
    """No place is invented for what is no number, or for another network's features."""
    with pytest.raises(UserError, match=what):
        place(_atlas(np.eye(4, dtype=np.float32), np.eye(4)[:, :2]), features)


def test_a_case_is_placed_within_a_second_on_a_large_map():
    """13,603 cases of 1,792 features, as the clinic's page will ask."""
    random = np.random.default_rng(0)
    atlas = Atlas(
        mean=np.zeros(1792, np.float32),
        axes=random.normal(size=(1792, 50)).astype(np.float32),
        features=random.normal(size=(13603, 50)).astype(np.float32),
        places=30 * random.normal(size=(13603, 2)),
    )

    started = time.process_time()
    place(atlas, random.normal(size=(1, 1792)).astype(np.float32))

    assert time.process_time() - started < 1


def test_an_atlas_is_read_back_as_it_was_written(mapped, tmp_path):
    """And places the same; a torn one is refused."""
    embedding, features, new, _ = mapped
    atlas = _atlas(features, embedding)

    write_atlas(tmp_path / "atlas.safetensors", atlas, about={"bundle": "invented"})

    read = read_atlas(tmp_path / "atlas.safetensors")
    np.testing.assert_array_equal(place(read, new).places, place(atlas, new).places)
    assert read.diagnosis is None
    (tmp_path / "atlas.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match="missing or damaged"):
        read_atlas(tmp_path / "atlas.safetensors")


def test_an_atlas_keeps_which_diagnosis_each_of_its_cases_has(mapped, tmp_path):
    """So that whoever shows a new case on it can colour the others."""
    embedding, features, *_ = mapped
    diagnosis = np.arange(len(embedding)) % 3

    write_atlas(tmp_path / "atlas.safetensors", replace(_atlas(features, embedding), diagnosis=diagnosis), about={})

    np.testing.assert_array_equal(read_atlas(tmp_path / "atlas.safetensors").diagnosis, diagnosis)


def test_placing_needs_nothing_but_numpy():
    """The clinic's installation has no openTSNE, torch, scipy or scikit-learn."""
    code = (
        "import sys, cutis.runtime.atlas; print({'openTSNE', 'torch', 'scipy', 'sklearn', 'pandas'} & set(sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "set()"
