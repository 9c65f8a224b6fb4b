"""A consulting room to look into: a release that answers, doubts and refuses by the colour of a picture."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageFilter
from safetensors.numpy import save_file
from starlette.testclient import TestClient

from clinics import KnockedClinic, a_clinic, a_jpeg
from cutis.imaging.prepare import Preparation
from cutis.runtime.atlas import ATLAS, Atlas, write_atlas
from cutis.runtime.bundle import TRUST
from cutis.runtime.neighbours import NEIGHBOURS, Likeness, index_of, kept, write_index
from cutis.runtime.ready import Trusted
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.serve.answering.answerer import Answerer
from cutis.serve.pages.room import room
from cutis.serve.settings import ClinicSettings
from cutis.stats.conformal import SetThresholds
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import fit_space
from cutis.vocabulary.files import stamp
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.taxonomy import Disease, Taxonomy
from cutis.web.accounts import Role
from cutis.web.settings import read_settings
from factories import a_case, a_running_release, a_scene
from sites import proof_in

CODES = ("BCC", "MN", "SK")
NAMES = ("basal cell carcinoma", "melanocytic nevus", "seborrheic keratosis")
KINDS = ((), ("pigmented",), ("pigmented",))
SURE = {"BCC": "red", "MN": "lime", "SK": "blue"}  # colours that the network is sure of
UNSURE, FOREIGN = "magenta", "cyan"
# Means of such pictures as the network sees them; the pictures of the clinic scatter around them.
SEEN = np.array([[1.28, -0.47, -0.70], [0.07, 0.72, -0.68], [0.07, -0.47, 0.49]], np.float32)
TEMPERATURE = 0.3


def a_taxonomy() -> Taxonomy:
    """Three diagnoses, one of them malignant, and melanoma none of them."""
    diseases = tuple(
        Disease(code=code, name=name, abbreviation=code, malignant=code == "BCC", kinds=kinds)
        for code, name, kinds in zip(CODES, NAMES, KINDS, strict=True)
    )
    return Taxonomy("three", "Three diagnoses", diseases, cannot_say=("melanoma", "squamous cell carcinoma"))


def a_doubting_release(folder: Path, **fields: Any) -> Path:
    """Write a release that can say all that a release can: sets, abstention, training cases, an atlas, a map."""
    random, taxonomy = np.random.default_rng(3), a_taxonomy()
    kinds = np.arange(240) % 3
    learned = SEEN[kinds] + random.normal(scale=0.15, size=(240, 3)).astype(np.float32)
    own = SEEN[kinds] + random.normal(scale=np.where(kinds % 2, 0.15, 0.25)[:, None], size=(240, 3)).astype(np.float32)
    reference = fit_reference(learned, kinds, kinds=3)
    chances = np.exp(own / TEMPERATURE) / np.exp(own / TEMPERATURE).sum(axis=1, keepdims=True)
    outputs = Outputs(logits=own, auxiliary_logits=(), features=own, maps=None)
    signals = signals_of(outputs, reference, probabilities=chances, temperatures=(TEMPERATURE,))

    acceptance = choose_acceptance(signals, [f"p{number}" for number in range(240)], cluster_kind="patient")

    def beside(folder: Path) -> None:
        tensors = reference.tensors() | acceptance.tensors()
        save_file(tensors, folder / TRUST, metadata={"stamp": json.dumps(stamp("trust"))})
        cases = [a_case(n, diagnosis=CODES[kind], confirmed_by="histology") for n, kind in enumerate(kinds)]
        space = fit_space("raw", learned, kinds)
        index = index_of(kept(learned), cases, codes=taxonomy.codes, space=space)
        write_index(folder / NEIGHBOURS, index, made_from={})
        axes = np.eye(3, dtype=np.float32)[:, :2]
        places = (20 * learned @ axes).astype(np.float64)
        mean = np.zeros(3, np.float32)
        write_atlas(
            folder / ATLAS,
            Atlas(mean=mean, axes=axes, features=learned @ axes, places=places, diagnosis=kinds),
            about={},
        )

    plain: dict[str, Any] = {
        "name": "three",
        "taxonomy": taxonomy,
        "temperatures": (TEMPERATURE,),
        "preparation": Preparation(size=16, mean=(0.5,) * 3, std=(0.25,) * 3),
        "sets": (SetThresholds(method="LAC", level=0.9, values=(0.93,) * 3, basis=("own",) * 3, clusters=(80,) * 3),),
        "reference": reference,
        "acceptance": acceptance,
        "likeness": Likeness(
            space="raw",
            cases=240,
            chosen_on="tune",
            trials=(Trial("raw", 0.5, 0.01, 0.02),),
            strangers=2.0,
            nearness=None,
        ),
    }
    return a_running_release(folder, codes=taxonomy.codes, beside=beside, **plain | fields)


def a_blurred_jpeg() -> bytes:
    """A picture that nobody can judge."""
    written = io.BytesIO()
    a_scene().filter(ImageFilter.GaussianBlur(8)).save(written, "JPEG", quality=92)
    return written.getvalue()


@contextmanager
def a_doubting_answerer(folder: Path) -> Iterator[Answerer]:
    """Lend the release, open."""
    read = read_settings(ClinicSettings, engine="onnxruntime-fp32", folder=folder)
    with Answerer(Trusted(a_doubting_release(folder / "release")), read, memory=folder) as answerer:
        yield answerer


@contextmanager
def a_consulting_room(
    folder: Path, database_url: str, *, answerer: Any, signs: Any = None, **settings: Any
) -> Iterator[KnockedClinic]:
    """Lend a clinic with the clinicians' pages."""
    rooms = [room(read_settings(ClinicSettings, folder=folder, **settings), signs)]
    with a_clinic(folder, database_url, rooms=rooms, answerer=answerer, **settings) as clinic:
        yield clinic


def ask(browser: TestClient, *pictures: bytes, key: str = "", **texts: str) -> str:
    """Examine a lesion as the page does; return the way to its answer."""
    files = [("picture", ("picture", content, "image/jpeg")) for content in pictures or (a_jpeg(),)]
    sent = browser.post(
        "/diagnose", files=files, data=texts, headers={"accept": "application/json", "idempotency-key": key}
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["to"])


def at_work(clinic: KnockedClinic, *, name: str = "li") -> TestClient:
    """Return the browser of a clinician who is signed in, and whose requests carry the proof of our pages."""
    browser = clinic.site.joined(clinic.site.account(Role.CLINICIAN, name=name))
    browser.headers["x-proof"] = proof_in(browser)
    return browser


def text_of(pdf: bytes) -> str:
    """Return the letters of a PDF that reportlab wrote, a line for each block of text."""
    chinese = re.search(rb"/BaseFont /STSong-Light /DescendantFonts.*?/Name (/F\d+)", pdf, re.DOTALL)
    lines = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with suppress(ValueError, zlib.error):  # a picture
            content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
            blocks = re.findall(rb"\bBT (.*?) ET\b", content, re.DOTALL)
            lines += [_letters(block, chinese[1] if chinese else None) for block in blocks]
    return "\n".join(lines)


def _letters(block: bytes, chinese: bytes | None) -> str:
    font, said = b"", []
    for name, text in re.findall(rb"(/F\d+) |\(((?:\\.|[^\\()])*)\) Tj", block, re.DOTALL):
        font = name or font
        plain = re.sub(rb"\\(\d{3}|.)", _unescaped, text, flags=re.DOTALL)
        said.append(plain.decode("utf-16-be" if font == chinese else "cp1252"))
    return "".join(said)


def _unescaped(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if said.isdigit() else {b"n": b"\n", b"r": b"\r"}.get(said, said)
