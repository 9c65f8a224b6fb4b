"""A mask finds its case by name or by its picture, and is refused where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cutis.explain.sanity.masks import DETAILS, INSIDE, LESION, SIGNS, find_masks
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, write_json
from factories import a_case, a_picture


@pytest.fixture
def dataset(tmp_path):
    """A dataset of two pictures, and the clinic's files that they were made from, saved anew as JPEG."""
    cases = []
    for number in range(2):
        picture = a_picture(width=96, height=80, seed=number)
        for path in (tmp_path / "clinic" / f"P{number}" / "img.jpg", tmp_path / "dataset" / f"images/{number}.jpg"):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, quality=90 if "clinic" in path.parts else 95)
        image = f"images/{number}.jpg"
        cases.append(a_case(number, image=image, sha256=sha256_of(tmp_path / "dataset" / image), diagnosis="DF"))
    return tmp_path / "dataset", cases


def _draw(path, value, size=(96, 80)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[:10, :20] = value
    Image.fromarray(pixels).save(path)


def test_a_mask_is_named_like_its_case(dataset, tmp_path):
    """Anything that is not black is inside."""
    folder, cases = dataset
    _draw(tmp_path / "masks" / "case0001.png", 1)

    masks = find_masks(tmp_path / "masks", cases, folder)

    assert set(masks.by_case) == {"case0001"}
    (name, mask), *rest = masks.of(cases[1], size=(96, 80)).items()
    assert (name, mask.sum(), rest) == (INSIDE, 200, [])


def test_a_mask_is_named_like_the_clinics_picture(dataset, tmp_path):
    """The dataset has no name of the clinic's; the picture is found by what it shows, though it was saved anew."""
    folder, cases = dataset
    for number in range(2):
        _draw(tmp_path / "masks" / f"P{number}" / "img.png", 255)

    masks = find_masks(tmp_path / "masks", cases, folder, pictures=tmp_path / "clinic")

    found = {case: path.parent.name for case, path in masks.by_case.items()}
    assert found == {"case0000": "P0", "case0001": "P1"}


def test_the_legend_of_a_toy_clinic_tells_lesion_signs_and_details_apart(dataset, tmp_path):
    """Hair is none of them, and what was not drawn is left out."""
    folder, cases = dataset
    legend = {"DF": {"1": "lesion", "2": "ground", "4": "white patch", "128": "hair"}}
    (tmp_path / "truth").mkdir()
    write_json(tmp_path / "truth" / "truth.json", "truth", {"legend": legend})
    for case, bits in zip(cases, (1 | 2 | 128, 1 | 2 | 4), strict=True):
        _draw(tmp_path / "truth" / "masks" / f"{case.case_id}.png", bits)

    masks = find_masks(tmp_path / "truth" / "masks", cases, folder)

    assert set(masks.of(cases[0], size=(96, 80))) == {LESION, SIGNS}
    assert set(masks.of(cases[1], size=(96, 80))) == {LESION, SIGNS, DETAILS}


def test_a_mask_of_another_size_is_refused(dataset, tmp_path):
    """It is named with both sizes: stretched, it would lie beside what it means."""
    folder, cases = dataset
    _draw(tmp_path / "masks" / "case0000.png", 255, size=(80, 96))
    masks = find_masks(tmp_path / "masks", cases, folder)

    with pytest.raises(UserError, match=r"80 × 96 pixels, its picture 96 × 80(?s:.*)case0000\.png"):
        masks.of(cases[0], size=(96, 80))


@pytest.mark.parametrize(
    ("name", "what"),
    [(None, "no such folder"), ("notes.txt", "no PNG"), ("somebody.png", r"none of 1 masks(?s:.*)by its case_id")],
)
def test_masks_that_help_nothing_are_refused(dataset, tmp_path, name, what):
    """Nothing there, no picture, or of nobody's: each with what to do."""
    folder, cases = dataset
    if name:
        _draw(tmp_path / "masks" / "a.png", 255)
        (tmp_path / "masks" / "a.png").rename(tmp_path / "masks" / name)

    with pytest.raises(UserError, match=what):
        find_masks(tmp_path / "masks", cases, folder)


def test_pictures_that_are_not_those_that_were_curated_are_refused(dataset, tmp_path):
    """Other pictures under the same names are nobody's masks."""
    folder, cases = dataset
    _draw(tmp_path / "masks" / "P0" / "img.png", 255)
    a_picture(width=96, height=80, seed=9).save(tmp_path / "clinic" / "P0" / "img.jpg")

    with pytest.raises(UserError, match=r"none of 1 masks(?s:.*)folder that was curated"):
        find_masks(tmp_path / "masks", cases, folder, pictures=tmp_path / "clinic")
