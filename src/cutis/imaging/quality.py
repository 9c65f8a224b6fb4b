"""Is a picture sharp, well lit and large enough? Measured on a grey copy of one size, so that all pictures compare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.vocabulary.case import Quality

MEASURED_SIDE = 256  # pixels of the longer side of the copy
OCTAVES = 4

# A smooth slope has a sharpness of exactly 1/4, so whatever is blurred enough comes near it. At 0.27, 24 of the 10,015
# pictures of HAM10000 are marked, hardly one rightly. Of copies blurred by a sigma of 2.5 % of their width 0 to 3 % are
# missed, with noise of 1 level and JPEG too; 15 % under noise of 2 levels saved as JPEG.
BLURRED_BELOW = 0.27
# Light is judged where a picture is lit, so that the black frame of a dermatoscope does not count. The brightest tenth
# of any HAM10000 picture lies at 0.46 or above, which leaves room for dark skin; one of 10,015 is burnt out.
DARK_BELOW = 0.25  # 90th percentile of luma
BRIGHT_ABOVE = 0.25  # share of burnt-out pixels
BURNT_OUT_FROM = 250  # grey levels of 255
BLACK_BELOW = 0.03  # mean luma: nothing was lit
EMPTY_BELOW = 0.015  # contrast per brightness: one even colour, such as a lens cap or a wall (HAM10000: at least 0.03)
SMALL_BELOW = 128  # pixels of the shorter side: fewer than the smallest network here is trained with
TINY_BELOW = 64  # an icon: no dermoscopic structure is left

MARKS = frozenset({"tiny", "small", "black", "dark", "bright", "blurred"})

FAINT = 0.3  # squared grey levels of the third octave: a slope that is fainter counts as no detail


def measure_quality(picture: Image.Image) -> Quality:
    """Return size, sharpness, brightness and contrast of an RGB picture, with the marks that they earn.

    Marks are "tiny" or "small", "black", "dark" or "bright", and "blurred". A tiny or black picture cannot be used;
    of these and of dark ones it is not said that they are blurred.
    """
    width, height = picture.size
    grey = _grey_copy(picture)
    sharpness, brightness, contrast = _sharpness(grey), float(grey.mean() / 255), float(grey.std() / 255)
    size = "tiny" if min(width, height) < TINY_BELOW else "small" if min(width, height) < SMALL_BELOW else None
    light = "black" if brightness < BLACK_BELOW or contrast < EMPTY_BELOW * brightness else _light(grey)
    unmeasurable = size == "tiny" or light in {"black", "dark"}  # detail lies below the noise there
    focus = "blurred" if sharpness < BLURRED_BELOW and not unmeasurable else None
    marks = tuple(mark for mark in (size, light, focus) if mark)
    return Quality(
        width=width, height=height, sharpness=sharpness, brightness=brightness, contrast=contrast, marks=marks
    )


def unusable(quality: Quality) -> str | None:
    """Return why a picture can be of no use at all, "tiny" or "black", or None."""
    return next((mark for mark in quality.marks if mark in {"tiny", "black"}), None)


def _light(grey: NDArray[np.float32]) -> str | None:
    if np.quantile(grey, 0.9) < 255 * DARK_BELOW:
        return "dark"
    return "bright" if (grey >= BURNT_OUT_FROM).mean() > BRIGHT_ABOVE else None


def _grey_copy(picture: Image.Image) -> NDArray[np.float32]:
    """Return luma in 0..255, with `MEASURED_SIDE` pixels on the longer side."""
    scale = MEASURED_SIDE / max(picture.size)
    width, height = (max(2**OCTAVES, round(side * scale)) for side in picture.size)
    return np.asarray(picture.convert("L").convert("F").resize((width, height), Image.Resampling.BICUBIC))


def _sharpness(grey: NDArray[np.float32]) -> float:
    """Return the detail of the second octave beside that of the third, or of the third beside the fourth, if less.

    An octave is what is lost when 2 × 2 pixels are averaged (Haar). Blur takes more from the finer of two octaves,
    while contrast and the amount of structure weigh on both alike. White noise lies in the first octave and a quarter
    of it in each next one, so that the first tells how much to subtract; what JPEG makes of noise reaches the second
    octave, but hardly the third.
    """
    noise, second, third, fourth = _detail_by_octave(grey, octaves=OCTAVES)
    second, third, fourth = (max(detail - noise / 4**k, 0.0) for k, detail in enumerate((second, third, fourth), 1))
    return float(min(second / (third + FAINT), third / (fourth + 4 * FAINT)))


def _detail_by_octave(grey: NDArray[np.float32], *, octaves: int) -> list[float]:
    details = []
    for _ in range(octaves):
        rows, columns = grey.shape[0] // 2, grey.shape[1] // 2
        blocks = grey[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
        grey = blocks.mean(axis=(1, 3))
        details.append(float(np.square(blocks - grey[:, None, :, None]).mean()))
    return details
