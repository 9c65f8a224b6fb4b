"""What the network's answer does to a reader's: who was helped, who was misled, who followed it too far or not enough.

Every reader has read every case twice, without and with the network's answer beside it. A share is over readings, and
its interval over readers and cases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.two_way import Rounds, estimate_rounds, estimate_share_of_readings, pooled_ratio, sums_by_reader
from cutis.stats.resampling import LEVEL
from cutis.vocabulary.estimate import Estimate

MEANING = {
    "changed": "readings whose answer was another with the network's beside it",
    "helped": "of readings that were wrong, those that became right",
    "misled": "of readings that were right, those that became wrong",
    "followed": "of readings that differed from the network's answer, those that took it over",
    "over_reliance": "of readings that were right where the network was wrong, those that took its wrong answer over",
    "under_reliance": "of readings that were wrong where the network was right, those that did not take it over",
    "unaided_accuracy": "readings that were right without the network's answer",
    "aided_accuracy": "readings that were right with it",
    "gain": "aided less unaided accuracy",
}


def estimate_switches(
    truth: NDArray[np.int64],
    network: NDArray[np.int64],
    unaided: NDArray[np.int64],
    aided: NDArray[np.int64],
    rounds: Rounds,
    *,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return each share of `MEANING` with its interval.

    Args:
        truth: (N,) index of the diagnosis.
        network: (N,) the answer that was shown first.
        unaided: (R, N) what each reader said without it, −1 where not read.
        aided: (R, N) what each said with it.
        rounds: by `draw_rounds`, of these readers and cases.
        level: of the intervals.
    """
    both = (unaided >= 0) & (aided >= 0)
    was_right, is_right, offered_right = unaided == truth, aided == truth, network == truth
    took = (aided == network) & (unaided != network)
    asked = {
        "changed": (unaided != aided, both),
        "helped": (is_right, both & ~was_right),
        "misled": (~is_right, both & was_right),
        "followed": (took, both & (unaided != network)),
        "over_reliance": (took, both & was_right & ~offered_right),
        "under_reliance": (~took, both & ~was_right & offered_right),
        "unaided_accuracy": (was_right, both),
        "aided_accuracy": (is_right, both),
    }
    found = {
        name: estimate_share_of_readings(part, whole, rounds, level=level) for name, (part, whole) in asked.items()
    }
    whole = sums_by_reader(both, rounds)
    gain = [pooled_ratio(sums_by_reader(right & both, rounds), whole, rounds) for right in (is_right, was_right)]
    found["gain"] = estimate_rounds(gain[0] - gain[1], rounds, is_share=False, level=level)
    return found
