"""Skin and signs: what is drawn looks as it should."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.curate.synthetic import shapes
from cutis.curate.synthetic.camera import DEVICES, View, expose, look, mirrored, some_light
from cutis.curate.synthetic.lesions import LESIONS, SIGNS
from cutis.curate.synthetic.patients import HABITS
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import MATERIALS, TONES, Sign, Skin, paint, to_screen
from cutis.imaging.strokes import Stroke
from cutis.vocabulary.chance import chance
from cutis.vocabulary.taxonomy import load_taxonomy

SHEET = Sheet(160)


def painted(tone, *signs):
    """A plain skin of this tone with these signs, as sRGB."""
    skin = Skin(tone=tone, melanin=TONES[tone], blood=0.1, mottled=0.0, lined=0.0)
    return to_screen(paint(SHEET, chance(0, "test"), skin, signs=signs, site="back")).astype(float)


def test_every_diagnosis_of_the_taxonomy_is_drawn():
    """And no other."""
    codes = set(load_taxonomy("zhu14").codes)

    assert set(LESIONS) == set(SIGNS) == set(HABITS) == codes
    assert all(other in codes for habit in HABITS.values() for other in habit.mistaken_for)


@pytest.mark.parametrize("code", sorted(LESIONS))
def test_a_lesion_draws_only_signs_of_its_legend_and_all_of_them_in_some_variant(code):
    """Each map is finite and lies on the sheet."""
    seen = set()
    for number in range(12):
        site = HABITS[code].sites[number % len(HABITS[code].sites)]
        lesion = LESIONS[code](SHEET, chance(7, code, number), site)

        assert lesion.outline.max() > 0.9
        for sign in lesion.signs:
            assert sign.material in MATERIALS
            assert sign.shape.shape == (SHEET.side, SHEET.side)
            assert np.isfinite(sign.shape).all()
            assert sign.shape.min() >= 0
            seen.add(sign.name)

    assert seen == set(SIGNS[code])
    assert len(SIGNS[code]) <= 6  # the first and the last of eight bits are taken


def test_the_darker_the_skin_the_less_of_a_vessel_is_seen():
    """A vessel lies below the melanin, and its redness turns to brown."""
    vessel = shapes.spots(SHEET, np.zeros((1, 2)), 0.5)
    contrasts = []
    for tone in TONES:
        with_vessel, without = painted(tone, Sign("vessel", "blood", vessel, 1.0)), painted(tone)
        contrasts.append(np.abs(with_vessel - without).max())

    assert contrasts == sorted(contrasts, reverse=True)
    assert contrasts[-1] < 0.5 * contrasts[0]


def test_scale_stays_white_on_the_darkest_skin():
    """It lies above the melanin."""
    scale = shapes.spots(SHEET, np.zeros((1, 2)), 0.5)
    middle = SHEET.side // 2

    light, dark = (painted(tone, Sign("scale", "keratin", scale, 1.0))[middle, middle] for tone in ("I", "VI"))

    assert np.abs(light - dark).max() <= 2


def test_skin_tones_run_from_light_to_dark():
    """Fitzpatrick's types, in order."""
    brightness = [painted(tone).mean() for tone in TONES]

    assert brightness == sorted(brightness, reverse=True)


def test_a_stroke_is_as_wide_as_asked_for():
    """Widths are in half a picture's width."""
    line = Stroke(np.array([[-1.0, 0.0], [1.0, 0.0]]), 0.2)

    drawn = shapes.strokes(SHEET, [line])

    assert drawn[:, SHEET.side // 2].sum() == pytest.approx(0.2 * SHEET.unit, abs=1)


def test_nothing_to_draw_is_an_empty_map():
    """No stroke, no spot, no ink."""
    assert shapes.strokes(SHEET, []).max() == 0
    assert shapes.spots(SHEET, np.empty((0, 2)), 0.1).max() == 0


def test_a_view_shows_what_lies_where_it_looks():
    """Turned by a quarter, what was on the right of the sheet is seen at the top."""
    sheet = np.zeros((160, 160), dtype=np.uint8)
    sheet[70:90, 120:140] = 255  # to the right of the middle
    view = View(turn=np.pi / 2, zoom=1.0, shift=(0.0, 0.0))

    seen = np.asarray(look(mirrored(sheet), view, device=DEVICES[0], size=128, smooth=False))

    rows, columns = np.nonzero(seen)
    assert abs(columns.mean() - 64) < 3
    assert abs(rows.mean() - 64) > 30


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_device_keeps_its_frame_and_its_look(device):
    """Pictures have the size asked for, and only the one with an aperture has dark corners."""
    sheet = np.full((160, 160, 3), 180, dtype=np.uint8)
    random = chance(1, device.name)
    seen = look(mirrored(sheet), View(turn=0.3, zoom=1.0, shift=(0.0, 0.0)), device=device, size=128)

    picture = expose(seen, random, device=device, light=some_light(random))

    assert picture.size == (round(128 * device.wide), 128)
    assert (np.asarray(picture)[:4, :4].mean() < 40) == (device.aperture is not None)
