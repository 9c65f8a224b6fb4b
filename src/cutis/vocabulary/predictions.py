"""What a rater, network or person, says of each case, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_table, write_table


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Probabilities by case. N cases, K diagnoses in the order of `codes`."""

    case_ids: tuple[str, ...]
    cluster_ids: tuple[str, ...]
    cluster_kind: str  # "patient" or "lesion"
    truth: NDArray[np.int64] | None  # (N,) index into codes
    probabilities: NDArray[np.float64]  # (N, K), rows sum to one
    codes: tuple[str, ...]
    taxonomy_sha256: str
    split: str
    rater: str

    def __post_init__(self) -> None:
        """Refuse what no statistic may be computed from.

        Raises:
            UserError: shapes that do not fit, NaN, probabilities that are negative or do not sum to one, or a truth
                outside the codes.
        """
        cases, kinds = len(self.case_ids), len(self.codes)
        if self.probabilities.shape != (cases, kinds) or len(self.cluster_ids) != cases:
            self._refuse(f"shape {self.probabilities.shape} does not fit {cases} cases × {kinds} diagnoses")
        if not np.isfinite(self.probabilities).all():
            self._refuse("some probabilities are not finite")
        if (self.probabilities < 0).any():
            self._refuse("some probabilities are negative")
        if cases and not np.allclose(self.probabilities.sum(axis=1), 1, atol=1e-4):
            self._refuse("some rows do not sum to one")
        if self.truth is not None and cases:
            if self.truth.shape != (cases,):
                self._refuse(f"truth of shape {self.truth.shape} does not fit {cases} cases")
            if self.truth.min() < 0 or self.truth.max() >= kinds:
                self._refuse("a truth lies outside the diagnoses")

    def __len__(self) -> int:
        return len(self.case_ids)

    def _refuse(self, what: str) -> None:
        raise UserError(
            f"these predictions are unusable: {what}", where=f"predictions of {self.rater}", mend="predict again"
        )


def write_predictions(path: Path, predictions: Predictions, *, made_from: dict[str, str]) -> None:
    """Write predictions as one stamped Parquet table: a row per case, a column ``p_CODE`` per diagnosis."""
    codes = np.array(predictions.codes, dtype=object)
    truth = [None] * len(predictions) if predictions.truth is None else codes[predictions.truth].tolist()
    columns: dict[str, Any] = {
        "case_id": list(predictions.case_ids),
        "cluster_id": list(predictions.cluster_ids),
        "truth": truth,
    }
    columns |= {f"p_{code}": predictions.probabilities[:, k] for k, code in enumerate(predictions.codes)}
    about = {
        "cluster_kind": predictions.cluster_kind,
        "codes": list(predictions.codes),
        "taxonomy_sha256": predictions.taxonomy_sha256,
        "split": predictions.split,
        "rater": predictions.rater,
        "made_from": made_from,
    }
    write_table(path, "predictions", columns, about=about)


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises:
        UserError: no such file, a damaged one, or one of a newer format.
    """
    table, about = read_table(path, "predictions")
    codes = tuple(about["codes"])
    named = table.column("truth").to_pylist()
    return Predictions(
        case_ids=tuple(table.column("case_id").to_pylist()),
        cluster_ids=tuple(table.column("cluster_id").to_pylist()),
        cluster_kind=about["cluster_kind"],
        truth=None if None in named else np.array([codes.index(code) for code in named], dtype=np.int64),
        probabilities=np.column_stack([table.column(f"p_{code}").to_numpy() for code in codes]),
        codes=codes,
        taxonomy_sha256=about["taxonomy_sha256"],
        split=about["split"],
        rater=about["rater"],
    )
