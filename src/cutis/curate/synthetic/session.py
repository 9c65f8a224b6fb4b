"""One patient is photographed: every lesion is drawn once, and looked at from several sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from cutis.curate.synthetic import skin
from cutis.curate.synthetic.camera import MISTAKES, Pixels, a_view, expose, look, mirrored, visible
from cutis.curate.synthetic.hair import hairs
from cutis.curate.synthetic.lesions import LESIONS, SIGNS
from cutis.curate.synthetic.metadata import save
from cutis.curate.synthetic.patients import HABITS, Patient, Photograph, Spot
from cutis.curate.synthetic.shapes import Map, Sheet, soften
from cutis.curate.synthetic.skin import Lesion
from cutis.vocabulary.chance import chance

SHEET_TO_PICTURE = 1.25  # as many pixels in each unit of length, since a sheet reaches that much farther
SEEN = 0.35  # from this density on a sign counts as drawn,
FAINTEST = 0.1  # unless it is fainter than this everywhere
EXPRESSED = (0.55, 1.1)  # how strongly a lesion shows its signs: from hardly to fully
BORROWED = (1.2, 3.5)  # Beta's parameters of the share that looks like another diagnosis
OUTLINE_BIT, HAIR_BIT = 0, 7  # the signs of a diagnosis take the bits between


@dataclass(frozen=True)
class Session:
    """What one process needs to photograph one patient."""

    seed: int
    patient: Patient
    size: int
    clinic: Path
    truth: Path


def photograph(session: Session) -> int:
    """Write all pictures of one patient into the clinic and their masks beside it; return how many."""
    taken = 0
    for spot in session.patient.spots:
        sheet = Sheet(round(session.size * SHEET_TO_PICTURE))
        colours, mask = (mirrored(drawn) for drawn in draw(sheet, session, spot))
        for photo in spot.photographs:
            _take(session, spot, photo, colours=colours, mask=mask)
            taken += 1
    return taken


def draw(sheet: Sheet, session: Session, spot: Spot) -> tuple[Pixels, Pixels]:
    """Return a lesion on its patient's skin, (side, side, 3) sRGB, and the bits of what was drawn, (side, side)."""
    random = chance(session.seed, "toy", "lesion", spot.number)
    patient = session.patient
    lesion = _overlapping(sheet, random, spot)
    grown = hairs(sheet, random, patient.hair, site=spot.site)
    light = skin.paint(sheet, random, patient.skin, signs=(*lesion.signs, *grown), site=spot.site)
    bits = _bits(lesion, SIGNS[spot.diagnosis])
    for hair in grown:
        bits |= _bit(hair.shape, HAIR_BIT)
    return skin.to_screen(light), bits


def _overlapping(sheet: Sheet, random: np.random.Generator, spot: Spot) -> Lesion:
    """Draw a lesion as strongly as it happens to show, with a share of what it is often mistaken for."""
    lesion = LESIONS[spot.diagnosis](sheet, random, spot.site)
    expressed, borrowed = random.uniform(*EXPRESSED), random.beta(*BORROWED)
    own = tuple(replace(sign, strength=sign.strength * expressed * (1 - borrowed)) for sign in lesion.signs)
    other = LESIONS[str(random.choice(HABITS[spot.diagnosis].mistaken_for))](sheet, random, spot.site)
    inside = soften(lesion.outline, sheet, by=0.08)
    foreign = tuple(
        replace(sign, name="borrowed", shape=sign.shape * inside, strength=sign.strength * expressed * borrowed)
        for sign in other.signs
    )
    return Lesion(lesion.outline, (*foreign, *own))


def _bits(lesion: Lesion, names: tuple[str, ...]) -> Pixels:
    bits = _bit(lesion.outline, OUTLINE_BIT)
    for sign in lesion.signs:
        if sign.name in names and sign.strength > FAINTEST:
            bits |= _bit(sign.shape, names.index(sign.name) + 1)
    return bits


def _bit(shape: Map, place: int) -> Pixels:
    return np.where(shape > SEEN, np.uint8(1 << place), np.uint8(0))


def _take(session: Session, spot: Spot, photo: Photograph, *, colours: Image.Image, mask: Image.Image) -> None:
    random = chance(session.seed, "toy", "picture", photo.number)
    view = a_view(random, spot.photographs.index(photo))
    device, size = spot.device, session.size
    seen = look(colours, view, device=device, size=size)
    picture = expose(seen, random, device=device, light=session.patient.light)
    if photo.fault in MISTAKES:
        picture = MISTAKES[photo.fault](picture, random)
    path = session.clinic / photo.file
    path.parent.mkdir(exist_ok=True)
    save(picture, path, photo.fault, person=session.patient.number)
    if spot.called is None and not photo.spoilt:
        drawn = np.asarray(look(mask, view, device=device, size=size, smooth=False))
        drawn = drawn * (visible(device, size) > SEEN)
        target = (session.truth / "masks" / photo.file).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn.astype(np.uint8)).save(target, compress_level=1)
