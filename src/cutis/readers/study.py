"""Every knob of a reader study, flat and frozen: what a person writes before anything is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml
from cutis.vocabulary.settings import setting_of, settled

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class Study(BaseModel):
    """A reader study as it is wished for; `cutis readers plan` draws its cases and places."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: str = Field(default="Reader study", min_length=1)
    network: str = ""  # the bundle; the only one, if not given
    split: str = "test"
    practice_split: str = "tune"
    diagnoses: tuple[str, ...] = ()  # codes; all of them, if none is given
    per_diagnosis: Count = 0  # cases of each
    cases: Count = 0  # of all together, by prevalence; 0 with per_diagnosis 0: one of every patient
    practice: Count = 6
    repeated: Count = 0  # how many cases each reader reads twice
    readers: Positive = 10
    raters: tuple[str, ...] = ()  # readers who labelled cases of the dataset, by the names that they have in it
    reads_per_case: Count = 0  # 0: everybody reads everything
    shown: tuple[Literal["age", "sex", "site"], ...] = ()
    none_of_these: bool = False
    design: Literal["unaided", "crossover", "sequential"] = "unaided"
    washout_days: Count = 28
    aid: tuple[Literal["top3", "map"], ...] = ("top3",)
    asks: tuple[Literal["confidence", "further", "management", "ratings"], ...] = ("confidence",)
    languages: tuple[str, ...] = ("en", "zh")
    measure: str = "accuracy"
    hypothesis: Literal["superiority", "non-inferiority", "equivalence"] = "superiority"
    margin: float = Field(default=0.0, ge=0, lt=1)
    level: float | None = Field(default=None, gt=0.5, lt=1)
    frame: tuple[Positive, Positive] | None = None  # width and height of every picture; chosen, if not given
    seed: int = 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what contradicts itself, by a ValueError."""
        wrong = {
            "per_diagnosis and cases are both given": self.per_diagnosis and self.cases,
            "one diagnosis alone is no question": len(self.diagnoses) == 1,
            "a diagnosis or a rater stands twice": _doubled(self.diagnoses) or _doubled(self.raters),
            f"{self.hypothesis} needs a margin": self.hypothesis != "superiority" and not self.margin,
            "practice cases never come from the split that is read": self.practice_split == self.split,
            "practice cases never come from the test split": self.practice_split == "test",
            "there are more raters than readers": len(self.raters) > self.readers,
            "more reads for each case than readers": self.reads_per_case > self.readers,
            f"{self.readers} readers make no equal shares of which each case is in {self.reads_per_case}": (
                self.reads_per_case and self.readers % self.reads_per_case
            ),
            "in one sitting a repeated case was seen with the network's answer: repeated must be 0": (
                self.design == "sequential" and self.repeated
            ),
            "an aided arm that shows nothing": self.design != "unaided" and not self.aid,
            "auc needs a rating for each diagnosis: one label for each case has no ROC curve; add it to asks": (
                self.measure.startswith("auc") and "ratings" not in self.asks
            ),
        }
        for what, is_so in wrong.items():
            if is_so:
                raise ValueError(what)
        return self


def read_study(path: Path | None, settings: tuple[str, ...] = ()) -> Study:
    """Read a study's file, if there is one, and apply ``key=value`` settings.

    Raises:
        UserError: no such file, no TOML, an unknown key (the known ones are named) or an impossible value.
    """
    content = read_toml(path, "study") if path else {}
    given = {key: value for key, value in content.items() if key not in {"kind", "format"}}
    given |= dict(map(setting_of, settings))
    where = f"{path or 'cutis readers plan'}{' and --set' * bool(settings)}"
    return settled(Study, given, where=where)


def require_known(study: Study, codes: tuple[str, ...], *, where: str) -> tuple[str, ...]:
    """Return the study's diagnoses in the dataset's order.

    Raises:
        UserError: a diagnosis that the dataset does not know, or a measure that there is not; the known ones are named.
    """
    if unknown := [code for code in study.diagnoses if code not in codes]:
        raise UserError(f"unknown diagnosis {unknown[0]!r}", where=where, mend=f"use some of: {', '.join(codes)}")
    chosen = tuple(code for code in codes if code in (study.diagnoses or codes))
    of_one = (f"{what}/{code}" for what in ("sensitivity", "specificity", "auc") for code in chosen)
    measures = ("accuracy", "balanced_accuracy", *of_one)
    if study.measure not in measures:
        mend = f"use accuracy, balanced_accuracy, or sensitivity, specificity or auc with one of: /{', /'.join(chosen)}"
        raise UserError(f"unknown measure {study.measure!r}", where=where, mend=mend)
    return chosen


def _doubled(words: tuple[str, ...]) -> bool:
    return len(set(words)) < len(words)
