"""A table has a row for every picture, whatever it is, and says what a single answer would say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import bombs
from cutis.imaging.border import Decoders
from cutis.imaging.prepare import prepared_file
from cutis.runtime import many
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_engine
from cutis.runtime.many import Counts, answer_many, pictures_in
from cutis.runtime.predict import diagnose
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_table
from factories import a_bundle_folder, a_picture

PEAK = """import resource, sys
from pathlib import Path
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_engine
from cutis.runtime.many import answer_many
bundle, folder, pictures, table = sys.argv[1:]
bundle = read_bundle(Path(bundle))
paths = [Path(folder, f"p{number % 5}.png") for number in range(int(pictures))]
answer_many(torch_engine(bundle), bundle, paths, Path(table))
print(*(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""  # KiB, of itself and of the largest of its decoders


@pytest.fixture
def bundle(tmp_path):
    """An untrained network."""
    return read_bundle(a_bundle_folder(tmp_path / "bundle"))


@pytest.fixture
def folder(tmp_path):
    """Pictures at two depths, one that is torn, one that is text, and what is hidden."""
    within = tmp_path / "pictures"
    (within / "deeper").mkdir(parents=True)
    (within / ".hidden").mkdir()
    for number in range(5):
        a_picture(seed=number).save(within / f"p{number}.png")
    a_picture(seed=9).save(within / "deeper" / "p9.png")
    (within / "torn.jpg").write_bytes((within / "p0.png").read_bytes()[:300])
    (within / "notes.txt").write_text("no picture")
    (within / ".DS_Store").write_text("hidden")
    a_picture().save(within / ".hidden" / "p.png")
    return within


def rows_of(path):
    """The table, a dict per row."""
    return read_table(path, "answers")[0].to_pylist()


def test_every_file_is_a_row_in_the_order_of_its_name(bundle, folder, tmp_path):
    """What is no picture has its reason and no answer; what is hidden is left out; nothing stops."""
    paths = pictures_in([folder])

    counts = answer_many(torch_engine(bundle), bundle, paths, tmp_path / "answers.parquet")

    rows = rows_of(tmp_path / "answers.parquet")
    names = ["deeper/p9.png", "notes.txt", *(f"p{number}.png" for number in range(5)), "torn.jpg"]
    assert [row["image"] for row in rows] == [str(folder / name) for name in names]
    assert counts == Counts(answered=6, abstained=0, unreadable=2)
    broken = [row for row in rows if row["error"]]
    assert [row["image"].rpartition("/")[2] for row in broken] == ["notes.txt", "torn.jpg"]
    assert all(row["diagnosis"] is None and row["probability/a"] is None for row in broken)


def test_a_row_is_what_a_single_answer_says(bundle, folder, tmp_path):
    """To the last digits that a batch of another size leaves alone."""
    engine = torch_engine(bundle)
    answer_many(engine, bundle, pictures_in([folder]), tmp_path / "answers.parquet")

    for row in rows_of(tmp_path / "answers.parquet"):
        if row["error"] is None:
            alone = diagnose(engine, bundle, folder / row["image"]).diagnosis
            assert row["diagnosis"] == alone.findings[0].code
            assert row["prediction_set"] == list(alone.prediction_set)
            assert row["warnings"] == [each for each in alone.warnings if each not in bundle.warnings]
            for finding in alone.findings:
                assert row[f"probability/{finding.code}"] == pytest.approx(finding.probability, abs=1e-6)


def test_the_table_says_whose_answers_these_are(bundle, folder, tmp_path):
    """Bundle, weights, licence, and what must stand beside every answer."""
    answer_many(torch_engine(bundle), bundle, pictures_in([folder / "p0.png"]), tmp_path / "answers.parquet")

    about = read_table(tmp_path / "answers.parquet", "answers")[1]
    assert (about["bundle"], about["weights"]) == (bundle.name, bundle.weights_sha256)
    assert about["warnings"] == list(bundle.warnings)
    assert about["licence"] == bundle.licence


def test_a_table_of_broken_files_alone_has_the_same_columns(bundle, folder, tmp_path):
    """So that tables of many folders can be put together."""
    engine = torch_engine(bundle)
    answer_many(engine, bundle, [folder / "notes.txt"], tmp_path / "broken.parquet")
    answer_many(engine, bundle, [folder / "p0.png"], tmp_path / "sound.parquet")

    broken, sound = (read_table(tmp_path / f"{name}.parquet", "answers")[0].schema for name in ("broken", "sound"))
    assert broken.remove_metadata() == sound.remove_metadata()


def test_what_is_no_number_is_a_row_without_an_answer(bundle, folder, tmp_path):
    """Of a network that went wrong for one picture, the others are answered."""
    engine = torch_engine(bundle)

    def broken(pictures):
        outputs = engine(pictures)
        outputs.logits[1] = np.nan
        return outputs

    counts = answer_many(broken, bundle, pictures_in([folder])[2:5], tmp_path / "answers.parquet")

    rows = rows_of(tmp_path / "answers.parquet")
    assert counts == Counts(answered=2, abstained=0, unreadable=1)
    assert [bool(row["error"]) for row in rows] == [False, True, False]


def test_a_run_that_breaks_off_leaves_no_table(bundle, folder, tmp_path):
    """Neither whole nor half, and no thread that reads on."""

    def broken(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_many(broken, bundle, pictures_in([folder]), tmp_path / "answers.parquet")

    assert not list(tmp_path.glob("*answers*"))


def test_pictures_are_read_only_a_few_batches_ahead(bundle, folder, tmp_path, monkeypatch):
    """However many wait: what is prepared and not yet answered stays below three batches and the one at work."""
    monkeypatch.setattr(many, "BATCH", 2)
    engine, prepared, answered, most = torch_engine(bundle), [], [], []

    def counting(path, preparation):
        prepared.append(path)
        return prepared_file(path, preparation)

    def slow(pictures):
        most.append(len(prepared) - sum(answered))
        answered.append(len(pictures))
        return engine(pictures)

    paths = [folder / f"p{number % 5}.png" for number in range(40)]
    answer_many(slow, bundle, paths, tmp_path / "answers.parquet", prepared=counting)

    assert sum(answered) == 40
    assert max(most) <= 2 * (2 + many.AHEAD)


def test_a_bomb_in_the_folder_is_a_row(bundle, folder, tmp_path):
    """It says that it is too costly; what stands beside it is answered."""
    (folder / "p5.jpg").write_bytes(bombs.jpeg(1_024, 1_024, scans=1_000))
    (folder / "p6.png").write_bytes(bombs.png(13_000, 13_000, bits=1))

    counts = answer_many(torch_engine(bundle), bundle, pictures_in([folder]), tmp_path / "answers.parquet")

    told = {row["image"].rpartition("/")[2]: row["error"] for row in rows_of(tmp_path / "answers.parquet")}
    assert counts == Counts(answered=6, abstained=0, unreadable=4)
    assert told["p5.jpg"].startswith("too costly: ")
    assert told["p6.png"].startswith("too many pixels: ")
    assert told["p4.png"] is None


def test_a_decoder_killed_twenty_times_costs_twenty_rows_and_no_more(bundle, folder, tmp_path):
    """Whoever else is asked about at that time is answered, and every file has its row."""
    killed = set()
    lock = threading.Lock()

    with Decoders(2) as decoders:

        def now_and_then_killed(path, preparation):
            with lock:
                processes = [decoder.process for decoder in decoders.every if decoder.process is not None]
                alive = [process.pid for process in processes if process.pid not in killed]
                if alive and len(killed) < 20 and time.monotonic() > last[0] + 0.05:
                    killed.add(alive[0])
                    os.kill(alive[0], signal.SIGKILL)
                    last[0] = time.monotonic()
            return decoders.prepared_file(path, preparation)

        last = [time.monotonic()]
        paths = [folder / f"p{number % 5}.png" for number in range(3_000)]
        counts = answer_many(
            torch_engine(bundle), bundle, paths, tmp_path / "answers.parquet", prepared=now_and_then_killed
        )

    rows = rows_of(tmp_path / "answers.parquet")
    assert len(killed) == 20
    assert counts == Counts(answered=2_980, abstained=0, unreadable=20)
    assert [row["image"] for row in rows] == list(map(str, paths))
    assert {row["error"] for row in rows} == {None, "decoder died: its process ended with -9"}


def test_a_place_that_is_none_is_refused(tmp_path):
    """And an empty folder too."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match="no such file"):
        pictures_in([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="no file"):
        pictures_in([tmp_path / "empty"])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pictures(bundle, folder, tmp_path):
    """Four times as many take hardly more at the highest point; each in a process of its own, since peaks stay."""

    def peak_of(pictures):
        arguments = [str(each) for each in (bundle.folder, folder, pictures, tmp_path / f"{pictures}.parquet")]
        told = subprocess.run([sys.executable, "-c", PEAK, *arguments], check=True, capture_output=True, text=True)
        return np.array(told.stdout.split(), int) / 1024

    own, decoder = peak_of(4000) - peak_of(1000)

    assert own < 7  # MiB; 10 if all were read ahead, 20 if what was said were kept
    assert decoder < 2
