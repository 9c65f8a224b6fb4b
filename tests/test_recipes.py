"""A recipe that is a whole story runs from its folder to its report."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_picture

SCRIPT = Path(__file__).resolve().parents[1] / "recipes" / "ham10000.sh"
LESIONS = 6  # of each diagnosis


def a_folder_like_ham10000(folder: Path) -> Path:
    """Write two pictures of each of a few lesions of every diagnosis, tinted by it, with the official columns."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for kind, code in enumerate(load_taxonomy("ham7").codes):
        for number in range(2 * LESIONS):
            name = f"ISIC_{kind}{number:04d}"
            tint = np.roll([0, 40, -40], kind) * (1 + kind // 3) / 2
            pixels = np.asarray(a_picture(seed=100 * kind + number)) + tint
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / "images" / f"{name}.jpg")
            rows.append((f"HAM_{kind}{number // 2}", name, code, "histo", 50.0, "female", "back"))
    with (folder / "HAM10000_metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"))
        writer.writerows(rows)
    return folder


@pytest.mark.slow
def test_ham10000_goes_from_folder_to_report_and_keeps_what_is_there(tmp_path):
    """The first run makes everything; the second says what it kept, and makes the report anew."""
    folder = a_folder_like_ham10000(tmp_path / "ham")
    environment = os.environ | {"WORKSPACE": str(tmp_path / "work")}

    first, second = (
        subprocess.run([SCRIPT, folder], env=environment, capture_output=True, text=True, check=True) for _ in range(2)
    )

    assert "kept: " not in first.stdout
    assert second.stdout.count("kept: ") == 4
    assert "CC BY-NC 4.0" in (tmp_path / "work" / "report.html").read_text()


def test_ham10000_without_a_folder_says_what_to_give():
    """A forgotten argument is one line."""
    done = subprocess.run([SCRIPT], capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "FOLDER" in done.stderr
