from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.alignment import agreement, align


def a_texture(seed=0, side=128):
    """Detail of every size."""
    random = np.random.default_rng(seed)
    texture = np.full((side, side), 130.0, np.float32)
    for octave in range(6):
        coarse = random.normal(size=(side >> octave, side >> octave)).astype(np.float32)
        texture += 2 ** (octave + 1) * np.asarray(
            Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        )
    return texture


def seen(texture, box=(0, 0, 128, 128)):
    """One thumbnail, (1, 64, 64), of a part of the texture."""
    part = Image.fromarray(texture).resize((64, 64), Image.Resampling.BICUBIC, box=box)
    return np.asarray(part, np.float32)[None]


def framed(thumbnail):
    """Seen through the round window of a dermatoscope."""
    y, x = np.mgrid[:64, :64]
    return np.where(np.hypot(x - 31.5, y - 31.5) < 30, thumbnail, 5).astype(np.float32)


def test_scale_and_shift_are_recovered():
    """A crop from 6 % above and 2 % left, 3 % narrower on the whole, is laid where it belongs."""
    whole, part = seen(a_texture()), seen(a_texture(), box=(128 * 0.02, 128 * 0.06, 128 * 0.98, 128))

    down_scale, down_shift, across_scale, across_shift = align(part, whole)[0]

    np.testing.assert_allclose([down_scale, across_scale], [0.94, 0.96], atol=0.005)
    np.testing.assert_allclose([down_shift, across_shift], [0.06, 0.0], atol=0.005)


def test_the_way_back_is_the_inverse():
    """Which of two copies is held still does not matter."""
    whole, part = seen(a_texture()), seen(a_texture(), box=(0, 0, 122, 125))

    there, back = align(part, whole)[0], align(whole, part)[0]

    np.testing.assert_allclose(there[[0, 2]] * back[[0, 2]], 1, atol=0.01)
    np.testing.assert_allclose(agreement(part, whole), agreement(whole, part), atol=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(0.6, 0), (1.3, 0), (1, 40), (0.5, 90)])
def test_agreement_does_not_see_the_light(gain, offset):
    thumbnail = seen(a_texture())

    assert agreement(thumbnail, thumbnail * np.float32(gain) + np.float32(offset))[0] > 0.98


def test_different_pictures_do_not_agree_even_in_the_same_frame():
    """A shared window, by far the strongest detail of both, confirms nothing."""
    ours, theirs = framed(seen(a_texture(1))), framed(seen(a_texture(2)))

    assert abs(agreement(ours, theirs)[0]) < 0.25
    assert agreement(ours, framed(seen(a_texture(1))))[0] > 0.98


def test_a_label_on_one_of_two_copies_does_not_part_them():
    """What covers a seventh of the picture leaves the other blocks to speak, well above the 0.3 that confirms."""
    labelled = seen(a_texture()).copy()
    labelled[:, :20, :30] = 255

    assert agreement(seen(a_texture()), labelled)[0] > 0.45


def test_pictures_without_detail_agree_in_nothing():
    """Two empty thumbnails, or an empty and a full one: 0, without a warning."""
    empty, full = np.full((1, 64, 64), 90, np.float32), seen(a_texture())

    assert agreement(empty, empty)[0] == 0
    assert agreement(np.zeros_like(empty), empty)[0] == 0
    assert abs(agreement(empty, full)[0]) < 0.05
    assert abs(agreement(full, empty)[0]) < 0.05


def test_pairs_are_independent_of_their_neighbours():
    """A batch gives what each pair gives alone."""
    ours = np.concatenate([seen(a_texture(seed)) for seed in range(4)])
    theirs = np.concatenate([seen(a_texture(seed), box=(3, 0, 128, 126)) for seed in (0, 1, 7, 3)])

    together = agreement(ours, theirs)

    alone = [agreement(ours[[k]], theirs[[k]])[0] for k in range(4)]
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert (together > 0.8).tolist() == [True, True, False, True]
