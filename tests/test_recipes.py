"""A recipe that is a whole story runs from its folder to its report."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutis.vocabulary.files import read_json
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_picture

SCRIPT = Path(__file__).resolve().parents[1] / "recipes" / "ham10000.sh"
READERS = SCRIPT.with_name("reader_study.sh")
LESIONS = 6  # of each diagnosis


def a_folder_like_ham10000(folder: Path, *, lesions: int = LESIONS) -> Path:
    """Write two pictures of each of a few lesions of every diagnosis, tinted by it, with the official columns."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for kind, code in enumerate(load_taxonomy("ham7").codes):
        for number in range(2 * lesions):
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


def votes_beside(folder: Path, votes: Path) -> Path:
    """Write votes of four groups on every picture of such a folder, with the columns in two orders."""
    votes.mkdir()
    with (folder / "HAM10000_metadata.csv").open(newline="") as file:
        truth = {row["image_id"]: row["dx"].upper() for row in csv.DictReader(file)}
    codes = ["AKIEC", "BCC", "BKL", "MEL", "NV", "VASC", "DF"]
    groups = {"": (6, codes), "_derms": (3, sorted(codes)), "_exp": (1, codes), "_nonexp": (5, codes)}
    for group, (right, columns) in groups.items():
        with (votes / f"training_set_isic{group}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", "isic_id", *columns, "image_diag_id"])
            for number, (image, code) in enumerate(truth.items()):
                counts = [right * (column == code) + (column == "NV") for column in columns]
                writer.writerow([number, image, *counts, code])
    return votes


@pytest.mark.slow
def test_a_reader_study_goes_from_folders_to_a_report(tmp_path, shared_weights):
    """Folds that share no lesion, votes of five groups, one page; the second run keeps what is there."""
    folder = a_folder_like_ham10000(tmp_path / "ham", lesions=12)  # enough for one of each diagnosis in every fold
    votes = votes_beside(folder, tmp_path / "votes")
    weights = shared_weights("mobilenetv2_100_imagenet.safetensors")
    settings = "--set size=32 --set epochs=1 --set batch_size=8 --set precision=fp32"
    environment = os.environ | {"WORKSPACE": str(tmp_path / "work"), "SETTINGS": settings}

    first, second = (
        subprocess.run([READERS, folder, votes, weights], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )

    said = read_json(tmp_path / "work" / "5_readers" / "scores" / "ham10000" / "scores.json", "scores")
    groups = [group["name"] for group in said["groups"]]
    assert groups == ["all", "dermatologists", "others", "experts", "non-experts"]
    assert said["split"] == "train and tune, out of fold"
    assert "dermatologists − others" in said["between"]
    assert "kept: " not in first.stdout
    assert second.stdout.count("kept: ") == 3
    assert "By diagnosis: dermatologists" in (tmp_path / "work" / "report.html").read_text()


def test_a_reader_study_without_votes_says_what_to_give(tmp_path):
    """A forgotten argument is one line."""
    done = subprocess.run([READERS, tmp_path], capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "give the folder of the votes" in done.stderr
