"""Which function draws which diagnosis, and the signs that it may draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from cutis.curate.synthetic import growths, inflammations, vascular
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import Lesion

Draw: TypeAlias = Callable[[Sheet, np.random.Generator, str], Lesion]  # the last is the site

LESIONS: dict[str, Draw] = {
    "LP": inflammations.lichen_planus,
    "Rosa": inflammations.rosacea,
    "VW": growths.viral_wart,
    "AV": inflammations.acne,
    "KAHS": growths.keloid,
    "EAD": inflammations.eczema,
    "DF": growths.dermatofibroma,
    "SD": inflammations.seborrheic_dermatitis,
    "SK": growths.seborrheic_keratosis,
    "MN": growths.nevus,
    "Hem": vascular.hemangioma,
    "Pso": inflammations.psoriasis,
    "PWS": vascular.port_wine_stain,
    "BCC": vascular.basal_cell_carcinoma,
}

# By diagnosis: the name of each bit of a mask, from the second bit on.
SIGNS: dict[str, tuple[str, ...]] = {
    "LP": ("violet ground", "dotted vessels", "Wickham striae"),
    "Rosa": ("flush", "polygonal vessels", "follicular plugs"),
    "VW": ("papillae", "dots in papillae", "haemorrhages", "even tan"),
    "AV": ("red halo", "yellow-white plug"),
    "KAHS": ("white-pink", "linear branching vessels", "rim"),
    "EAD": ("red ground", "patchy dotted vessels", "scale", "yellow crusts"),
    "DF": ("ground", "white patch", "ring network"),
    "SD": ("red ground", "patchy dotted vessels", "arborising vessels", "yellow scale"),
    "SK": ("brown plaque", "milia-like cysts", "comedo-like openings"),
    "MN": ("brown ground", "pigment network", "globules", "parallel furrows"),
    "Hem": ("ground", "pale septa", "lacunae"),
    "Pso": ("light red ground", "regular dotted vessels", "white scales"),
    "PWS": ("pink-purple ground", "dotted vessels", "reticular vessels"),
    "BCC": ("pearly ground", "blue-grey ovoid nests", "arborising vessels", "erosion"),
}
