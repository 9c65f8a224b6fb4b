"""Running clinics to knock at: a vault, a database, and a release that answers at once."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from coroutines import awaited
from cutis.runtime.ready import Trusted
from cutis.serve.answer import Answer, Malignancy, SeenPicture, State
from cutis.serve.answering.answerer import Answerer
from cutis.serve.clinic import Clinic
from cutis.serve.record.examinations import Examination
from cutis.serve.settings import JOURNAL, MASTER_KEY, ClinicSettings
from cutis.serve.unlocking import unlock
from cutis.serve.vault import Vault
from cutis.serve.visit import Asked, examine
from cutis.vocabulary.diagnosis import Finding
from cutis.web.application import Room
from cutis.web.database import Database, open_database
from cutis.web.ground import Ground
from cutis.web.migrate import migrate
from cutis.web.settings import read_settings
from factories import a_picture, a_running_release
from sites import Knocked, a_site

CODES = ("a", "b", "c")
MIGRATIONS = Path(str(files("cutis.serve"))) / "migrations"


class OpenedRecord(NamedTuple):
    """What a clinic keeps, without anything that answers."""

    database: Database
    vault: Vault
    folder: Path  # of the journal's anchors


@dataclass
class KnockedClinic:
    """A clinic with its site, and a hand on its clock."""

    clinic: Clinic
    site: Knocked

    @property
    def ground(self) -> Ground:
        """The parts of the site."""
        return self.site.ground

    def examined(self, *pictures: bytes, by: str = "clinician", **fields: Any) -> Examination:
        """Let somebody ask, a second after all that was before; a picture is invented where none is given."""
        self.site.time.now += 1
        asked = Asked(pictures=pictures or (a_jpeg(),), by=by, **fields)
        return awaited(examine, self.clinic, self.ground, asked)


def a_jpeg(*, colour: str = "red", seed: int = 0, **saving: Any) -> bytes:
    """A dermoscopic-looking picture in which one colour leads: `a_running_release` answers by it."""
    picture = a_picture(width=320, height=240, seed=seed)
    tint = Image.new("RGB", picture.size, colour)
    written = io.BytesIO()
    Image.blend(picture, tint, 0.3).save(written, "JPEG", quality=92, **saving)
    return written.getvalue()


def an_answer(**fields: Any) -> Answer:
    """A valid answer of an invented release."""
    plain: dict[str, Any] = {
        "state": State.ANSWERED,
        "reasons": (),
        "pictures": (a_seen_picture(),),
        "findings": tuple(
            Finding(code=code, name=f"disease {code}", malignant=code == "c", probability=probability)
            for code, probability in zip(CODES, (0.7, 0.2, 0.1), strict=True)
        ),
        "prediction_set": ("a", "b"),
        "coverage": 0.9,
        "malignancy": Malignancy(codes=("c",), probability=0.1, not_assessed=(), may_say_malignant=False),
        "excludes_no_melanoma": False,
        "cannot_say": (),
        "warnings": (),
        "invented": False,
        "neighbours": (),
        "neighbours_agree": None,
        "remarks": (),
        "place": None,
        "maps": (),
        "release": "invented",
        "release_sha256": "a" * 64,
        "weights_sha256": "b" * 64,
        "answers_by": "onnx-fp32",
        "seconds": 0.01,
    }
    return Answer(**plain | fields)


def a_seen_picture(**fields: Any) -> SeenPicture:
    """A picture that can be judged."""
    plain: dict[str, Any] = {
        "sha256": "c" * 64,
        "width": 320,
        "height": 240,
        "marks": (),
        "verdict": "good",
        "sharpness": 100.0,
        "brightness": 120.0,
        "contrast": 40.0,
        "distance": 1.0,
    }
    return SeenPicture(**plain | fields)


@contextmanager
def an_answerer(folder: Path, *, settings: ClinicSettings | None = None, **bundle: Any) -> Iterator[Answerer]:
    """Lend what answers by a picture's colours: "a" where red leads, "b" green, "c" blue."""
    release = Trusted(a_running_release(folder / "release", **bundle))
    read = settings or read_settings(ClinicSettings, engine="onnxruntime-fp32")
    with Answerer(release, read, memory=folder / "memory") as opened:
        yield opened


@contextmanager
def an_opened_record(folder: Path, database_url: str) -> Iterator[OpenedRecord]:
    """Lend database and vault of a clinic that is new."""
    database = open_database(database_url)
    try:
        migrate(database, [MIGRATIONS])
        yield OpenedRecord(database, unlock(database, folder / MASTER_KEY), folder / JOURNAL)
    finally:
        database.close()


@contextmanager
def a_clinic(
    folder: Path,
    database_url: str,
    *,
    rooms: Sequence[Room] = (),
    answerer: Answerer | None = None,
    **settings: Any,
) -> Iterator[KnockedClinic]:
    """Lend a running clinic on a database that is new; it shows its answers, unless `demonstration` is False.

    Args:
        folder: where it keeps its master key and its anchors.
        database_url: of an empty database.
        rooms: of its site; their routes find the clinic.
        answerer: that is open already (the fixture of this name is, for all tests); opened here, if not given.
        settings: of `ClinicSettings`.
    """
    plain = {"demonstration": True, "folder": folder, "engine": "onnxruntime-fp32"}
    read = read_settings(ClinicSettings, database=database_url, **plain | settings)
    with an_opened_record(folder, database_url) as record:
        vault = record.vault
    with ExitStack() as open_here:
        found = answerer or open_here.enter_context(an_answerer(folder, settings=read))
        clinic = Clinic(read, vault, found)
        handed = [replace(room, state={**room.state, "clinic": clinic}) for room in rooms]
        with a_site(database_url, rooms=handed, places=[MIGRATIONS], read=read) as site:
            yield KnockedClinic(clinic, site)
