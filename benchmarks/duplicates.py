"""How many altered copies are recognised, and what is found among real pictures. Writes duplicates.md beside itself.

Needs the folders `ham10000` and `isic2018-masks` in `../shared/data`, beside the checkout; says so where they are not.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cutis.imaging.decode import decode
from cutis.imaging.fingerprint import Fingerprint, fingerprint, groups, near_duplicates
from cutis.progress import track
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COPIED = 400  # pictures of each set

Picture = Image.Image
Alteration = Callable[[Picture, np.random.Generator], Picture]


def saved_again(picture: Picture, quality: int) -> Picture:
    """Return what JPEG leaves of a picture."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def cropped(picture: Picture, share: float, random: np.random.Generator) -> Picture:
    """Cut a share of each side off, more on the one or on the other edge by chance."""
    width, height = picture.size
    left, top = random.uniform(0, share, 2)
    return picture.crop(
        (round(left * width), round(top * height), round((1 - share + left) * width), round((1 - share + top) * height))
    )


def lit(picture: Picture, random: np.random.Generator) -> Picture:
    """Change gain and offset of the light."""
    gain, offset = random.uniform(0.75, 1.2), random.uniform(-20, 20)
    return Image.fromarray(np.clip(np.asarray(picture) * gain + offset, 0, 255).astype(np.uint8))


def shifted(picture: Picture, share: float, random: np.random.Generator) -> Picture:
    """Move the picture over a black ground."""
    across, down = random.uniform(-share, share, 2) * picture.size
    matrix = (1, 0, across, 0, 1, down)
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


ALTERATIONS: dict[str, Alteration] = {
    "JPEG at quality 30": lambda picture, _: saved_again(picture, 30),
    "half the size": lambda picture, _: picture.resize((picture.width // 2, picture.height // 2)),
    "double the size": lambda picture, _: picture.resize((picture.width * 2, picture.height * 2)),
    "squashed to a square": lambda picture, _: saved_again(picture.resize((224, 224)), 80),
    "another light": lit,
    "cropped by 5 %": lambda picture, random: cropped(picture, 0.05, random),
    "cropped by 5 %, lit, resized, JPEG at 60": lambda picture, random: saved_again(
        lit(cropped(picture, 0.05, random), random).resize((200, 150)), 60
    ),
    "shifted by up to 3 %": lambda picture, random: shifted(picture, 0.03, random),
    "cropped by 8 %": lambda picture, random: cropped(picture, 0.08, random),
    "turned by up to 2°": lambda picture, random: picture.rotate(random.uniform(-2, 2), Image.Resampling.BICUBIC),
}


def share_found(
    pictures: Sequence[Picture], originals: Sequence[Fingerprint], alteration: Alteration, name: str
) -> float:
    """Return the share of pictures whose altered copy is confirmed as theirs."""
    random = chance("benchmark", "duplicates", name)
    copies = [fingerprint(alteration(picture, random)) for picture in pictures]
    found = set(near_duplicates([*originals, *copies]))
    return sum((at, at + len(copies)) in found for at in range(len(copies))) / len(copies)


def pictures_of(folder: str) -> dict[str, Picture]:
    """Return the decoded pictures of a data folder by name."""
    paths = sorted((DATA / folder / "images").glob("*.jpg"))
    return {path.stem: decode(path) for path in track(paths, f"opening {folder}", total=len(paths))}


def main() -> None:
    """Measure, and write the table."""
    missing = [name for name in ("ham10000", "isic2018-masks") if not (DATA / name).exists()]
    if missing:
        print(f"not measured: {', '.join(missing)} must lie in ../shared/data, beside the checkout")
        return
    ham, isic = pictures_of("ham10000"), pictures_of("isic2018-masks")
    with (DATA / "ham10000" / "HAM10000_metadata.csv").open(newline="") as file:
        row_of = {row["image_id"]: row for row in csv.DictReader(file)}
    rows = [row_of[name] for name in ham]
    started = time.process_time()
    prints = [fingerprint(picture) for picture in ham.values()]
    fingerprinted = time.process_time()
    pairs = near_duplicates(prints)
    paired = time.process_time()
    found = groups(pairs, len(prints))
    crossing = [group for group in found if len({rows[at]["lesion_id"] for at in group}) > 1]
    disagreeing = sum(len({rows[at]["dx"] for at in group}) > 1 for group in found)
    chosen = chance("benchmark", "duplicates", "which").choice(len(ham), COPIED, replace=False)
    some_ham = [list(ham.values())[at] for at in chosen]
    some_isic = list(isic.values())[:COPIED]
    isic_prints = [fingerprint(picture) for picture in some_isic]
    lines = [
        f"| {name} | {share_found(some_ham, [prints[at] for at in chosen], alteration, name):.3f} "
        f"| {share_found(some_isic, isic_prints, alteration, name):.3f} |"
        for name, alteration in track(ALTERATIONS.items(), "altered copies", total=len(ALTERATIONS))
    ]
    about = circumstances()
    page = [
        "# How well near-duplicates are recognised",
        "",
        "Written by `benchmarks/duplicates.py`.",
        f"{about['processor']}, cutis {about['cutis']}.",
        "",
        (
            f"All {len(ham):,} pictures of HAM10000: {len(pairs)} pairs confirmed, in {len(found)} groups of "
            f"{sum(map(len, found))} pictures; the largest has {max(map(len, found))}."
        ),
        f"{len(crossing)} groups cross lesions ({len(crossing) / len(found):.1%}), {disagreeing} cross diagnoses.",
        (
            f"Processor time: {(fingerprinted - started) / len(ham) * 1000:.2f} ms a picture for the fingerprint, "
            f"beyond decoding; {paired - fingerprinted:.1f} s for all pairs."
        ),
        "",
        f"Share of altered copies found, {COPIED} pictures of each set:",
        "",
        "| copy | HAM10000 | ISIC 2018 |",
        "|---|---|---|",
        *lines,
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
