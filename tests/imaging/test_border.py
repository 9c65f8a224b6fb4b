"""The border holds against pictures that are made to do harm, and gives what decoding in our own process gives."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bombs
from cutis.imaging.border import Decoders
from cutis.imaging.decode import UnreadablePicture, decode
from cutis.imaging.limits import LIMITS, MEGA, Limits
from cutis.imaging.prepare import Preparation, prepare, shrunk
from cutis.imaging.quality import measure_quality
from cutis.vocabulary.errors import UserError
from factories import a_picture

PREPARATION = Preparation(64, (0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
SHARED_MEMORY = Path("/dev") / "shm"
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


@pytest.fixture
def decoders():
    """One decoder that has already answered once, so that its start is not timed."""
    with Decoders() as ready:
        ready.prepared(bombs.saved(a_picture()), PREPARATION)
        yield ready


def process_of(decoders):
    """The one decoder's process."""
    return decoders.every[0].start()


def megabytes(process, what="VmHWM"):
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1000


def seconds_of_computing(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@LINUX
@pytest.mark.parametrize("name", bombs.MUST_BE_REFUSED)
def test_a_bomb_is_refused_in_under_a_second_and_50_megabytes(decoders, name):
    """By its header or its structure: the decoder that refused it is still alive, and grew by little but the file."""
    content, process = bombs.MUST_BE_REFUSED[name](), process_of(decoders)
    memory, computed = megabytes(process), seconds_of_computing(process)

    with pytest.raises(UnreadablePicture) as caught:
        decoders.prepared(content, PREPARATION)

    assert caught.value.detail
    assert process_of(decoders) is process
    assert seconds_of_computing(process) - computed < 1
    assert megabytes(process) - memory < 50 + len(content) / MEGA


@LINUX
@pytest.mark.parametrize("name", bombs.MAY_BE_ANSWERED)
def test_what_is_odd_but_harmless_costs_less_than_a_second(decoders, name):
    """Whether it is answered or refused is for the decoder to say."""
    content, process = bombs.MAY_BE_ANSWERED[name](), process_of(decoders)
    computed = seconds_of_computing(process)

    told = outcome(lambda: decoders.prepared(content, PREPARATION).pixels)

    assert told[0] in {"truncated", (64, 64, 3)}
    assert process_of(decoders) is process
    assert seconds_of_computing(process) - computed < 1


def cut_short():
    """A picture of each kind, and how it is packed."""
    frames = {"save_all": True, "append_images": [a_picture(seed=1, width=640, height=480)]}
    kinds = {"JPEG": ("JPEG", {}), "progressive JPEG": ("JPEG", {"progressive": True}), "MPO": ("MPO", frames)}
    kinds |= {"PNG": ("PNG", {}), "animated PNG": ("PNG", frames), "BMP": ("BMP", {}), "WebP": ("WEBP", {})}
    kinds |= {"exact WebP": ("WEBP", {"lossless": True}), "animated WebP": ("WEBP", frames)}
    packings = ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")
    kinds |= {f"TIFF {packing}": ("TIFF", {"compression": packing}) for packing in packings}
    return [pytest.param(*kind, id=name) for name, kind in kinds.items()]


@LINUX
@pytest.mark.parametrize(("kind", "options"), cut_short())
def test_a_picture_cut_at_each_hundredth_is_a_picture_or_refused(decoders, kind, options):
    """Soon, and by the same process."""
    content, process = bombs.saved(a_picture(width=640, height=480), kind, **options), process_of(decoders)
    memory, computed = megabytes(process), seconds_of_computing(process)

    told = [
        outcome(lambda part=part: decoders.prepared(content[: len(content) * part // 100], PREPARATION).pixels)
        for part in range(100)
    ]

    assert {each[0] for each in told} <= {"not an image", "truncated", "unsupported format", (64, 64, 3)}
    assert process_of(decoders) is process
    assert seconds_of_computing(process) - computed < 10
    assert megabytes(process) - memory < 50


@LINUX
def test_every_broken_file_gets_the_same_answer_at_the_border(decoders, shared_data):
    """252 files that were made to break decoders: the same pixels or the same reason, and one process for all."""
    files, process = [path for path in shared_data("broken-images").glob("*/*") if path.is_file()], process_of(decoders)
    taken = {}

    for path in files:
        computed = seconds_of_computing(process)
        told = outcome(lambda path=path: decoders.pixels(path))
        taken[path.name] = seconds_of_computing(process) - computed
        assert told == outcome(lambda path=path: np.asarray(decode(path)))

    assert len(files) > 200
    assert process_of(decoders) is process
    assert {name: seconds for name, seconds in taken.items() if seconds >= 1} == {}


def outcome(ask):
    """The picture as bytes, or the reason against it."""
    try:
        pixels = ask()
    except UnreadablePicture as error:
        return error.reason, error.where
    return pixels.shape, pixels.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_the_border_changes_no_pixel(decoders, kind):
    """Whole or prepared, from bytes or from a file: what our own process would decode, and the size upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind == "BMP" else {"exif": exif}
    content = bombs.saved(a_picture(), kind, **options)
    picture = decode(content)

    seen = decoders.prepared(content, PREPARATION)

    np.testing.assert_array_equal(decoders.pixels(content), np.asarray(picture))
    np.testing.assert_array_equal(seen.pixels, prepare(picture, PREPARATION))
    assert seen.size == picture.size


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_crosses_the_border(decoders, mode):
    """Grey, palette, opacity, ink and sixteen bits."""
    grey = a_picture().convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8) if mode == "I;16" else a_picture().convert(mode)
    content = bombs.saved(picture, "TIFF")

    np.testing.assert_array_equal(decoders.pixels(content), np.asarray(decode(content)))


def test_a_folder_a_pipe_and_a_device_are_no_pictures(decoders, tmp_path):
    """None is waited for."""
    os.mkfifo(tmp_path / "pipe.jpg")

    for path in (tmp_path, tmp_path / "pipe.jpg", Path(os.devnull)):
        with pytest.raises(UnreadablePicture, match="a folder, a pipe or a device"):
            decoders.pixels(path)


def test_a_missing_file_is_an_error_that_names_it(decoders, tmp_path):
    """It is no unreadable picture, and no decoder is asked."""
    with pytest.raises(UserError, match="nowhere") as caught:
        decoders.pixels(tmp_path / "nowhere.jpg")

    assert not isinstance(caught.value, UnreadablePicture)


def test_a_picture_that_takes_too_long_ends_its_decoder_and_no_other_picture():
    """The system ends it, in whatever library it is; the next picture is answered by another process."""
    with Decoders(limits=Limits(seconds=0.02, seconds_per_megapixel=0.001)) as decoders:
        first = process_of(decoders)
        with pytest.raises(UnreadablePicture) as caught:
            decoders.pixels(bombs.png(7_000, 7_000, colour=2))
        second = process_of(decoders)

        assert (caught.value.reason, first.poll()) == ("too costly", -signal.SIGPROF)
        assert second is not first
        assert decoders.pixels(bombs.saved(a_picture(width=8, height=8))).shape == (8, 8, 3)


def test_a_picture_that_needs_too_much_memory_is_refused():
    """The process is bound, so that the machine is not."""
    with Decoders(limits=Limits(memory=160 * MEGA)) as decoders:
        with pytest.raises(UnreadablePicture) as caught:
            decoders.pixels(bombs.png(6_000, 6_000, colour=2))

        assert caught.value.reason in {"too costly", "decoder died"}
        assert decoders.pixels(bombs.saved(a_picture())).shape == (96, 128, 3)


def test_a_decoder_that_stands_still_is_not_waited_for():
    """A stopped process computes nothing, so the clock decides."""
    with Decoders(limits=Limits(patience=1.0)) as decoders:
        decoders.pixels(bombs.saved(a_picture()))
        os.kill(process_of(decoders).pid, signal.SIGSTOP)

        with pytest.raises(UnreadablePicture, match="by the clock"):
            decoders.pixels(bombs.saved(a_picture()))

        assert decoders.pixels(bombs.saved(a_picture())).shape == (96, 128, 3)


@LINUX
def test_a_decoder_killed_twenty_times_under_load_costs_twenty_answers_and_no_more():
    """Four askers, two decoders, never idle: each kill costs the one picture that the process would have answered."""
    content = bombs.saved(a_picture(width=900, height=700))
    expected = prepare(decode(content), PREPARATION)
    before, killed, over = open_files(), set(), threading.Event()

    def ask_until_it_is_over(_):
        answers = []
        while not over.is_set():
            try:
                answers.append(bool((decoders.prepared(content, PREPARATION).pixels == expected).all()))
            except UnreadablePicture as error:
                answers.append(error.reason)
        return answers

    def kill_twenty_processes(every):
        while len(killed) < 20:
            for process in [decoder.process for decoder in every if decoder.process is not None]:
                if process.pid not in killed and len(killed) < 20:
                    killed.add(process.pid)
                    os.kill(process.pid, signal.SIGKILL)
                    time.sleep(0.1)
        time.sleep(0.5)
        over.set()

    with Decoders(2) as decoders, ThreadPoolExecutor(5) as threads:
        killer = threads.submit(kill_twenty_processes, decoders.every)
        answers = [answer for told in threads.map(ask_until_it_is_over, range(4)) for answer in told]
        killer.result()

    assert answers.count("decoder died") == 20
    assert answers.count(True) == len(answers) - 20
    assert answers.count(True) > 0
    assert open_files() == before
    assert not children()


def children():
    """Processes of ours that are alive or not buried."""
    found = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "stat=,args="], capture_output=True, text=True, check=False
    ).stdout
    return [line for line in found.splitlines() if "cutis.imaging.decoder" in line or "defunct" in line]


@LINUX
def test_nothing_is_left_behind(tmp_path):
    """No process, no zombie, no open file, no shared memory; also after pictures that ended their decoders."""
    before, shared = open_files(), set(SHARED_MEMORY.iterdir())

    for _ in range(3):
        with Decoders(2, limits=Limits(seconds=0.02, seconds_per_megapixel=0.001)) as decoders:
            decoders.start()
            with pytest.raises(UnreadablePicture):
                decoders.pixels(bombs.png(5_000, 5_000, colour=2))
    gc.collect()

    assert open_files() == before
    assert set(SHARED_MEMORY.iterdir()) <= shared
    assert not children()


def test_closed_decoders_answer_no_more():
    """It is our bug to ask them, and nobody waits for ever."""
    with Decoders() as decoders:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        decoders.pixels(b"")


def test_no_process_starts_before_it_is_needed():
    """Eight decoders, asked one after the other, are one process."""
    with Decoders(8) as decoders:
        assert [decoder.process for decoder in decoders.every] == [None] * 8
        for _ in range(3):
            decoders.pixels(bombs.saved(a_picture()))
        assert sum(decoder.process is not None for decoder in decoders.every) == 1


LIAR = """
import json, sys
asked, answered = sys.stdin.buffer, sys.stdout.buffer
question = json.loads(asked.readline()); asked.read(question["length"])
answered.write({said!r}); answered.flush(); sys.stdin.buffer.read()
"""


def a_process_that_says(said):
    """It reads one picture, answers this, and waits."""
    command = [sys.executable, "-c", LIAR.format(said=said)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    "said",
    [
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b"x" * 100_000,
        b'{"shape": [100000, 100000, 3], "size": [100000, 100000]}\n',
        b'{"shape": [8, 8, 3], "size": [9, 8]}\n',
        b'{"shape": [8, 8, 4], "size": [8, 8]}\n',
        b'{"shape": [8, 8, 3], "size": [NaN, 8]}\n',
        b'{"shape": null, "size": null}\n',
        b'{"reason": "all is well", "detail": ""}\n',
        b'{"reason": ["truncated"], "detail": ""}\n',
    ],
    ids=repr,
)
def test_a_decoder_that_was_taken_over_is_not_believed(said):
    """What it says is checked like any foreign data; what makes no sense costs the picture, and the decoder."""
    with Decoders() as decoders:
        decoders.every[0].process = a_process_that_says(said)

        with pytest.raises(UnreadablePicture) as caught:
            decoders.pixels(b"picture")

        assert caught.value.reason == "decoder died"
        assert decoders.pixels(bombs.saved(a_picture())).shape == (96, 128, 3)


def test_what_a_decoder_says_cannot_break_a_line():
    """A line feed or an escape in a reason would write into logs."""
    said = b'{"reason": "truncated", "detail": "a\\nb\\u001b[2J"}\n'
    with Decoders() as decoders:
        decoders.every[0].process = a_process_that_says(said)

        with pytest.raises(UnreadablePicture) as caught:
            decoders.pixels(b"picture")

    assert caught.value.detail == "a b [2J"


@LINUX
def test_a_decoder_knows_no_secret_and_imports_nothing_heavy(decoders, monkeypatch):
    """Its environment is what it needs to start, and torch, pandas and scipy are not in its memory."""
    monkeypatch.setenv("CLINIC_SECRET", "hush")
    with Decoders() as others:
        others.pixels(bombs.saved(a_picture()))
        process = process_of(others)

        assert b"hush" not in Path(f"/proc/{process.pid}/environ").read_bytes()
        libraries = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        assert not [name for name in ("torch", "pandas", "scipy", "pyarrow", "onnx") if f"/{name}/" in libraries]


@LINUX
def test_our_own_process_does_not_grow_with_what_it_refuses(decoders, tmp_path):
    """A file of 100 MB passes through in pieces."""
    (tmp_path / "large.jpg").write_bytes(bombs.saved(a_picture(), "JPEG") + bytes(100 * MEGA))
    before = megabytes_now()

    with pytest.raises(UnreadablePicture):
        decoders.pixels(tmp_path / "large.jpg")

    assert megabytes_now() - before < 50


def megabytes_now():
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1000


def test_limits_must_be_above_zero():
    """A limit of nothing would refuse every picture."""
    with pytest.raises(ValueError, match="seconds"):
        replace(LIMITS, seconds=0)


def test_limits_are_the_caller_s_to_choose():
    """The error names those that were given."""
    with Decoders(limits=Limits(pixels=5_000)) as decoders, pytest.raises(UnreadablePicture, match=r"0\.005 mega"):
        decoders.pixels(bombs.saved(a_picture()))


def test_all_that_is_made_of_a_picture_is_made_of_one_decoding(decoders):
    """Prepared, measured and copied as in our own process, to the bit."""
    picture = a_picture(width=200, height=120)

    seen = decoders.looked_at(bombs.saved(picture), PREPARATION, longest=100)

    np.testing.assert_array_equal(seen.pixels, prepare(picture, PREPARATION))
    np.testing.assert_array_equal(seen.copy, np.asarray(shrunk(picture, 100)))
    assert seen.copy.shape == (60, 100, 3)
    assert seen.quality == measure_quality(picture)


@pytest.mark.parametrize(
    "said",
    [
        {"quality": {"sharpness": float("inf"), "brightness": 0.5, "contrast": 0.5, "marks": []}},
        {"quality": {"sharpness": 1.0, "brightness": 0.5, "contrast": 0.5, "marks": ["<script>"]}},
        {"quality": {"sharpness": 1.0}},
        {"quality": None},
        {"size": [10**6, 10**6]},
        {"size": [0, 4]},
        {},
    ],
    ids=repr,
)
def test_a_decoder_that_was_taken_over_cannot_say_what_it_likes_of_quality(said):
    """Numbers are numbers and marks are ours; anything else costs the picture, and the decoder."""
    line = json.dumps({"shape": [64, 64, 3], "size": [4, 4]} | said).encode() + b"\n"
    with Decoders() as decoders:
        decoders.every[0].process = a_process_that_says(line)

        with pytest.raises(UnreadablePicture) as caught:
            decoders.looked_at(b"picture", PREPARATION, longest=100)

        assert caught.value.reason == "decoder died"
        assert decoders.looked_at(bombs.saved(a_picture()), PREPARATION, longest=100).copy.shape == (75, 100, 3)
