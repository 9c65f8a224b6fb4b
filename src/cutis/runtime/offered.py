"""Which maps a release may show: those that passed the examination of whether they mean anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cutis.runtime.maps import FINAL, FUSED
from cutis.runtime.sealed import Sealed
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp

OFFERED_MAPS = "maps.json"
UNTOLD = "this release does not say whether anybody examined its maps"
UNEXAMINED = "it was not among the maps that were examined"


class OfferedMaps(NamedTuple):
    """What may be shown of where the network looks, by the names of `runtime.maps`."""

    offered: tuple[str, ...]  # the joined one first, then from the last depth up to the first
    left_out: dict[str, str]  # the others, each with the reason


def names_of_maps(auxiliary: int) -> tuple[str, ...]:
    """Return how the maps of one forward pass are called where a network has so many auxiliary classifiers."""
    stages = tuple(f"stage_{number}" for number in range(auxiliary, 0, -1))
    return (*(FUSED,) * bool(auxiliary), FINAL, *stages)


def offered_among(names: tuple[str, ...], offered: Mapping[str, Any], left_out: Mapping[str, str]) -> OfferedMaps:
    """Return which of these maps are offered; what nothing was said of is not."""
    return OfferedMaps(
        offered=tuple(name for name in names if name in offered),
        left_out={name: left_out.get(name, UNEXAMINED) for name in names if name not in offered},
    )


def read_offered_maps(sealed: Sealed, *, auxiliary: int) -> OfferedMaps:
    """Read which maps a checked folder offers; one without that file offers none.

    Raises:
        UserError: the file is damaged, or of a newer format.
    """
    names = names_of_maps(auxiliary)
    if OFFERED_MAPS not in sealed.entries:
        return OfferedMaps((), dict.fromkeys(names, UNTOLD))
    where = str(sealed.folder / OFFERED_MAPS)
    try:
        said = json.loads(sealed.read(OFFERED_MAPS))
        check_stamp(said, "offered-maps", where=where)
        return offered_among(names, dict.fromkeys(said["offered"]), {**said["left_out"]})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        mend = "make the release again: cutis release --again"
        raise UserError(f"this says nothing of maps: {error}", where=where, mend=mend) from error
