"""Pictures made ready for training: here, and not beside the batches, since processes that prepare need no PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import Preparation, prepared_file
from cutis.vocabulary.case import Case, unchanged_picture


def prepared_case(case: Case, *, dataset: Path, preparation: Preparation) -> NDArray[np.uint8]:
    """Return a case's picture as (S, S, 3) uint8.

    Raises:
        UserError: it is missing, or not the one that was curated.
    """
    return prepared_file(unchanged_picture(dataset, case), preparation)
