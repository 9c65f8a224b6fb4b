from __future__ import annotations

import io
import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cutis.imaging.fingerprint import fingerprint, groups, near_duplicates
from factories import a_picture, a_scene


def encoded(picture, quality):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def cropped(picture, share, corner):
    """Without this share of the width and height, taken from one corner or the other, or from both."""
    width, height = picture.size
    left, top = width * share * corner, height * share * corner
    box = (left, top, left + width * (1 - share), top + height * (1 - share))
    return picture.crop(tuple(round(side) for side in box))


def lit(picture, gain, offset):
    return Image.fromarray(np.clip(np.asarray(picture) * gain + offset, 0, 255).astype(np.uint8))


COPIES = {
    "the same": lambda picture: picture.copy(),
    "encoded anew": lambda picture: encoded(picture, 60),
    "encoded badly": lambda picture: encoded(picture, 30),
    "half as large": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "twice as large": lambda picture: picture.resize((picture.width * 2, picture.height * 2)),
    "squashed": lambda picture: picture.resize((224, 224)),
    "brighter": lambda picture: lit(picture, 1.15, 5),
    "darker and flatter": lambda picture: lit(picture, 0.7, 20),
    "cropped by 2 %": lambda picture: cropped(picture, 0.02, 0.5),
    "cropped by 5 %, one corner": lambda picture: cropped(picture, 0.05, 1),
    "all of it": lambda picture: encoded(lit(cropped(picture, 0.04, 0.3), 1.1, -5).resize((200, 150)), 70),
}


def pairs_of(pictures):
    return near_duplicates([fingerprint(picture) for picture in pictures])


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_of_an_invented_picture_is_found(copy):
    """However it was saved again."""
    picture = a_scene(seed=3)

    assert pairs_of([a_scene(seed=4), picture, copy(picture)]) == [(1, 2)]


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_of_real_pictures_are_found(shared_data, copy):
    """Of 50 dermoscopic pictures at least 49 are found again, and no two different ones are taken for copies."""
    files = sorted((shared_data("isic2018-masks") / "images").glob("*.jpg"))[::8]
    pictures = [Image.open(path).convert("RGB") for path in files]

    pairs = pairs_of([*pictures, *map(copy, pictures)])

    wanted = {(k, k + len(pictures)) for k in range(len(pictures))}
    assert set(pairs) <= wanted
    assert len(pairs) >= 0.98 * len(wanted)


def test_the_order_of_the_pictures_does_not_matter(shared_data):
    """Copies that are hard to tell, turned by two degrees, are found or missed alike from either side."""
    files = sorted((shared_data("isic2018-masks") / "images").glob("*.jpg"))[:60]
    pictures = [Image.open(path).convert("RGB") for path in files]
    prints = [fingerprint(each) for picture in pictures for each in (picture, picture.rotate(2))]
    last = len(prints) - 1

    forwards, backwards = near_duplicates(prints), near_duplicates(prints[::-1])

    assert 0 < len(forwards) < len(pictures)
    assert forwards == sorted((last - other, last - one) for one, other in backwards)


def test_different_lesions_are_no_copies(shared_data):
    """Among 1,000 HAM10000 pictures, all confirmed pairs are of one lesion."""
    folder = shared_data("ham10000")
    files = sorted((folder / "images").glob("*.jpg"))[5000:6000]
    rows = [line.split(",") for line in (folder / "HAM10000_metadata.csv").read_text().splitlines()]
    lesion_of = {row[1]: row[0] for row in rows}

    pairs = pairs_of([Image.open(path).convert("RGB") for path in files])

    crossing = [(one, other) for one, other in pairs if lesion_of[files[one].stem] != lesion_of[files[other].stem]]
    assert len(pairs) >= 1
    assert crossing == []


def test_exact_copies_are_found_even_without_any_detail():
    """Two files of one and the same pixels need no detail to be the same."""
    empty = Image.new("RGB", (100, 80), (9, 9, 9))

    assert pairs_of([empty, Image.new("RGB", (100, 80), (10, 10, 10)), empty.copy()]) == [(0, 2)]


def test_one_pixel_more_or_less_is_another_picture():
    """The checksum covers size and pixels: the same bytes in another shape differ."""
    assert fingerprint(Image.new("RGB", (6, 4))).pixels != fingerprint(Image.new("RGB", (4, 6))).pixels
    assert fingerprint(Image.new("RGB", (6, 4))).pixels == fingerprint(Image.new("RGB", (6, 4))).pixels


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_have_no_pairs(count):
    assert pairs_of([a_picture()] * count) == []


def test_pairs_come_in_order_across_blocks():
    """Copies far from each other in a long list are found, smaller number first."""
    pictures = [a_picture(seed=seed) for seed in range(20)]
    prints = [fingerprint(pictures[k % 20]) for k in range(300)]

    pairs = near_duplicates(prints)

    assert pairs == [pair for pair in combinations(range(300), 2) if pair[0] % 20 == pair[1] % 20]


def test_a_fingerprint_is_small_and_survives_the_way_back_from_a_worker():
    """Ten thousand of them are sent between processes."""
    before = fingerprint(a_picture())

    content = pickle.dumps(before)
    after = pickle.loads(content)  # noqa: S301  our own bytes

    assert len(content) < 10_000
    assert near_duplicates([before, after]) == [(0, 1)]


def test_groups_join_what_pairs_connect():
    """Chains become one group; who has no pair is in no group."""
    assert groups([(4, 7), (1, 4), (2, 3)], 9) == [(1, 4, 7), (2, 3)]
    assert groups([], 3) == []


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda pair: pair[0] < pair[1]), max_size=30))
def test_groups_are_the_connected_parts(pairs):
    """No one stands in two groups, and every pair lies within one."""
    found = groups(pairs, 15)

    members = [member for group in found for member in group]
    assert len(members) == len(set(members))
    assert set(members) == {member for pair in pairs for member in pair}
    assert all(any(set(pair) <= set(group) for group in found) for pair in pairs)
    assert len(found) == len(members) - _spanning(pairs)


def _spanning(pairs):
    """How many pairs join two parts that were apart: counted by merging sets."""
    parts = [{member} for member in range(15)]
    joined = 0
    for one, other in pairs:
        first, second = (next(part for part in parts if member in part) for member in (one, other))
        if first is not second:
            parts = [part for part in parts if part not in (first, second)] + [first | second]
            joined += 1
    return joined
