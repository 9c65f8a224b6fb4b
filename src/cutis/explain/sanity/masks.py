"""What is known to be in a picture: masks that a clinic drew, or the truth of a toy clinic.

A mask is a PNG of its picture's size, upright, black where nothing is. Its name is the case's id; or, where the folder
of the pictures is given too, it lies under the path of its picture. A dataset keeps no name of the clinic's, so that
pictures are found again by what they show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.decode import UnreadablePicture, decode
from cutis.progress import track
from cutis.vocabulary.case import Case, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json

SAME_PICTURE = 1.0  # grey levels that thumbnails may differ by, root mean square; a JPEG that is saved anew has 0.2
THUMBNAIL = 16  # places along the shorter side, or a few more
TRUTH = "truth.json"  # beside the masks of a toy clinic; its legend says what each bit means
LESION, HAIR = "lesion", "hair"
INSIDE, SIGNS, DETAILS = "mask", "signs", "details"
TARGETS = {
    INSIDE: "the mask",
    LESION: "the drawn lesion",
    SIGNS: "all signs of its diagnosis that were drawn",
    DETAILS: "the signs that lie within the ground of the lesion",
}

Mask = NDArray[np.bool_]  # (H, W)
Thumbnail = NDArray[np.float32]
Legend = Mapping[str, Mapping[str, str]]  # diagnosis → bit → what it means; the ground is the first after the lesion


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Which file is the mask of which case, and what its bits mean, where they mean something."""

    folder: Path
    by_case: Mapping[str, Path]
    legend: Legend | None

    def of(self, case: Case, *, size: tuple[int, int]) -> dict[str, Mask]:
        """Return each thing that is known to be in a case's picture, (H, W); one that covers nothing is left out.

        Args:
            case: one of `by_case`.
            size: width and height of its picture.

        Raises:
            UserError: the mask is no picture, or has another size.
        """
        path = self.by_case[case.case_id]
        drawn = decode(path)
        if drawn.size != size:
            what = f"this mask is {drawn.width} × {drawn.height} pixels, its picture {size[0]} × {size[1]}"
            raise UserError(what, where=str(path), mend="save the mask in the size of the picture, upright")
        pixels = np.asarray(drawn)
        found: dict[str, Mask] = (
            {INSIDE: pixels.max(axis=2) > 0}
            if self.legend is None
            else _by_legend(pixels[..., 0], self.legend.get(case.diagnosis or "", {}))
        )
        return {name: mask for name, mask in found.items() if mask.any()}


def find_masks(folder: Path, cases: Sequence[Case], dataset: Path, *, pictures: Path | None = None) -> Masks:
    """Find the masks of cases by the rule at the top of this file.

    Args:
        folder: with PNGs, at any depth.
        cases: of which masks are wanted.
        dataset: the folder of their pictures.
        pictures: the clinic's folder, where the masks are named like its files.

    Raises:
        UserError: there is no such folder, no mask in it, or none of these cases has one.
    """
    for given in filter(None, (folder, pictures)):
        if not given.is_dir():
            raise UserError("there is no such folder", where=str(given), mend="check the path")
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.png"))}
    if not files:
        raise UserError("there is no PNG in this folder", where=str(folder), mend="give masks as PNG files")
    by_case = _by_picture(files, cases, dataset, pictures) if pictures else _by_name(files, cases)
    if not by_case:
        rule = "name each mask by its case_id, such as CASE_ID.png; or give the folder of the pictures by --pictures"
        mend = "give the folder that was curated, with the masks under the paths of its pictures" if pictures else rule
        what = f"none of {len(files):,} masks belongs to one of {len(cases):,} test cases"
        raise UserError(what, where=str(folder), mend=mend)
    return Masks(folder=folder, by_case=by_case, legend=_legend_beside(folder))


def _by_name(files: Mapping[str, Path], cases: Sequence[Case]) -> dict[str, Path]:
    by_stem = {path.stem: path for path in files.values()}
    return {case.case_id: by_stem[case.case_id] for case in cases if case.case_id in by_stem}


def _by_picture(files: Mapping[str, Path], cases: Sequence[Case], dataset: Path, pictures: Path) -> dict[str, Path]:
    masks = set(files.values())
    named = {
        path.relative_to(pictures).with_suffix("").as_posix(): path
        for path in sorted(pictures.rglob("*"))
        if path.is_file() and path not in masks
    }
    masked = [(mask, named[name]) for name, mask in files.items() if name in named]
    by_size: dict[tuple[int, int], list[tuple[Path, Thumbnail]]] = {}
    for mask, picture in track(masked, "reading the pictures of masks", total=len(masked)):
        for size, thumbnail in _sight(picture):
            by_size.setdefault(size, []).append((mask, thumbnail))
    found = {}
    for case in track(cases, "finding their cases", total=len(cases)):
        size, own = _seen(unchanged_picture(dataset, case))
        theirs = by_size.get(size, ())
        apart = [float(np.sqrt(((thumbnail - own) ** 2).mean())) for _, thumbnail in theirs]
        if apart and min(apart) < SAME_PICTURE:
            found[case.case_id] = theirs[int(np.argmin(apart))][0]
    return found


def _sight(path: Path) -> Iterator[tuple[tuple[int, int], Thumbnail]]:
    """Yield what is seen of a file; nothing where it is no picture."""
    try:
        yield _seen(path)
    except UnreadablePicture:
        return


def _seen(path: Path) -> tuple[tuple[int, int], Thumbnail]:
    picture = decode(path)
    small = picture.convert("L").reduce(max(1, min(picture.size) // THUMBNAIL))
    return picture.size, np.asarray(small, np.float32)


def _legend_beside(folder: Path) -> Legend | None:
    path = folder.resolve().parent / TRUTH
    return read_json(path, "truth").get("legend") if path.is_file() else None


def _by_legend(bits: NDArray[np.uint8], legend: Mapping[str, str]) -> dict[str, Mask]:
    signs = [int(bit) for bit, name in legend.items() if name not in {LESION, HAIR}]
    lesion = [int(bit) for bit, name in legend.items() if name == LESION]
    return {name: (bits & sum(wanted)) > 0 for name, wanted in ((LESION, lesion), (SIGNS, signs), (DETAILS, signs[1:]))}
