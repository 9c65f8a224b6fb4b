"""What is wrong with a real clinic's export: duplicates, pictures that are none, and rows that lead nowhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cutis.curate.synthetic.export import Row
from cutis.curate.synthetic.patients import HABITS
from cutis.curate.synthetic.raters import RATERS, words
from cutis.vocabulary.chance import chance
from cutis.vocabulary.taxonomy import Taxonomy

TINY = 20  # pixels
BLACK = 4  # of 255: no pixel is brighter


@dataclass(frozen=True)
class Fault:
    """One planted fault, and where it must come to light.

    `row` is that of the sheet, counted from 1 with the names in the first; None where there is none.
    """

    fault: str
    file: str
    expected: dict[str, Any]
    row: int | None = None


@dataclass(frozen=True)
class Dirt:
    """One fault with the row that goes with it."""

    fault: Fault
    row: Row


def spoil(clinic: Path, sound: Sequence[Row], *, seed: int, first: int, taxonomy: Taxonomy) -> list[Dirt]:
    """Add faulty files to the clinic and return them with their rows.

    Args:
        clinic: the folder with the pictures.
        sound: rows of sound pictures with a settled name; each is copied once at most.
        seed: of the clinic.
        first: the first number that no picture bears yet.
        taxonomy: for the words of contradicting labels.
    """
    order = chance(seed, "toy", "dirt").permutation(len(sound))
    shuffled = [sound[int(index)] for index in order]
    rows = iter(shuffled)
    numbers = count(first)
    return [
        *_copies(clinic, rows, numbers),
        *_near_copies(clinic, rows, numbers, taxonomy),
        *_no_pictures(clinic, cycle(reversed(shuffled)), numbers, seed),
    ]


def _copies(clinic: Path, rows: Iterator[Row], numbers: Iterator[int]) -> Iterator[Dirt]:
    """Four copies under another name, and two more in another patient's folder."""
    for index in range(6):
        original = next(rows)
        owner = original if index < 4 else next(rows)  # noqa: PLR2004  said above
        copied = _renamed(original, owner, next(numbers), Path(str(original["file"])).suffix)
        shutil.copyfile(clinic / str(original["file"]), clinic / str(copied["file"]))
        yield _duplicate("exact duplicate", original, copied)


def _near_copies(clinic: Path, rows: Iterator[Row], numbers: Iterator[int], taxonomy: Taxonomy) -> Iterator[Dirt]:
    """Four copies cropped, brightened and saved again, three more of another patient, two called otherwise."""
    for index in range(9):
        original = next(rows)
        owner = next(rows) if 4 <= index < 7 else original  # noqa: PLR2004  said above
        suffix = (".jpg", ".png")[index % 2]
        copied = _renamed(original, owner, next(numbers), suffix)
        with Image.open(clinic / str(original["file"])) as picture:
            margin = 0.008 * (1 + index % 3)
            width, height = picture.size
            box = (width * margin, height * margin, width * (1 - margin), height * (1 - margin))
            cropped = picture.convert("RGB").resize(picture.size, Image.Resampling.BICUBIC, box=box)
        brighter = cropped.point(lambda value, by=1 + 0.02 * (index - 3): min(255, round(value * by)))
        brighter.save(clinic / str(copied["file"]), quality=75)
        if index < 7:  # noqa: PLR2004  said above
            yield _duplicate("near-duplicate", original, copied)
        else:
            yield _contradiction(original, copied, taxonomy)


def _contradiction(original: Row, copied: Row, taxonomy: Taxonomy) -> Dirt:
    """A copy that all raters call something else, and nobody settles."""
    code = taxonomy.find(str(original[RATERS[0]])) or ""
    other = HABITS[code].mistaken_for[0]
    called = {rater: words(taxonomy, other, index) for index, rater in enumerate(RATERS)}
    expected = {"duplicate_of": original["file"], "indeterminate": "contradicting labels"}
    return Dirt(Fault("contradicting labels", str(copied["file"]), expected), copied | called)


def _no_pictures(clinic: Path, rows: Iterator[Row], numbers: Iterator[int], seed: int) -> Iterator[Dirt]:
    """Files that hold no picture that can be used, and rows that lead to no file."""
    for fault, times, reason in (
        ("black picture", 3, "black"),
        ("tiny picture", 3, "tiny"),
        ("text named .jpg", 2, "not an image"),
        ("truncated JPEG", 2, "truncated"),
        ("GIF", 1, "unsupported format"),
        ("row without a file", 3, "no file for this row"),
    ):
        for _ in range(times):
            owner = next(rows)
            number = next(numbers)
            copied = _renamed(owner, owner, number, ".gif" if fault == "GIF" else ".jpg")
            _write_broken(fault, clinic / str(copied["file"]), clinic / str(owner["file"]), seed, number)
            yield Dirt(Fault(fault, str(copied["file"]), {"rejected": reason}), copied)


def _write_broken(fault: str, path: Path, like: Path, seed: int, number: int) -> None:
    random = chance(seed, "toy", "broken", number)
    with Image.open(like) as picture:
        width, height = picture.size
        match fault:
            case "black picture":
                dark = random.integers(0, BLACK, (height, width, 3), dtype=np.uint8)
                Image.fromarray(dark).save(path, quality=90)
            case "tiny picture":
                picture.convert("RGB").resize((TINY, TINY)).save(path, quality=90)
            case "text named .jpg":
                path.write_text("The picture could not be exported. Please ask your administrator.\n", encoding="utf-8")
            case "truncated JPEG":
                picture.convert("RGB").rotate(180).save(path, quality=90)
                content = path.read_bytes()
                path.write_bytes(content[: int(len(content) * random.uniform(0.3, 0.6))])
            case "GIF":
                picture.convert("RGB").rotate(180).quantize(64).save(path)


def _renamed(original: Row, owner: Row, number: int, suffix: str) -> Row:
    """The row of a copy in the owner's folder: same labels, the owner's person and lesion."""
    person = {name: owner[name] for name in ("patient_no", "lesion_no", "age", "sex", "site", "skin_tone", "date")}
    return original | person | {"file": f"{owner['patient_no']}/img_{number:04d}{suffix}"}


def _duplicate(fault: str, original: Row, copied: Row) -> Dirt:
    return Dirt(Fault(fault, str(copied["file"]), {"duplicate_of": original["file"]}), copied)
