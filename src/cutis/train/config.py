"""Every knob of a training, flat and frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cutis.stats.operating_points import rule_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml, stamp
from cutis.vocabulary.settings import setting_of, settled

# In a wheel the recipes lie in the package, in a checkout at its top.
RECIPE_FOLDERS = (Path(__file__).parents[1] / "recipes", Path(__file__).parents[3] / "recipes")


STAGES = 7  # the auxiliary classifiers of the paper
NonNegative = Annotated[float, Field(ge=0)]


class TrainConfig(BaseModel):
    """A training recipe. What the paper does not tell is a setting here, never a claim about the paper."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    network: str = "efficientnet_b0"  # a timm name; with seven stages, unless auxiliary_weight is 0
    weights: str = "none"  # "none", "imagenet", or a safetensors file with timm's keys
    size: int = Field(default=96, ge=32, le=1024)  # pixels a side
    resize: Literal["squash", "crop", "pad"] = "squash"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    stochastic_depth: float = Field(default=0.0, ge=0, lt=1)

    auxiliary_weight: float = Field(default=1.0, ge=0)  # of an auxiliary loss beside the final one's 1; 0: none built
    auxiliary_profile: Literal["uniform", "rising"] = "uniform"  # rising: from a seventh of it at the first stage on
    auxiliary_weights: tuple[NonNegative, ...] = ()  # of each of the seven stages, instead of the two above
    answer: Literal["final", "tune"] = "tune"  # the final classifier's, or the mean of the last ones, chosen on tune

    imbalance: Literal["none", "weighted_loss", "balanced_sampler", "logit_adjustment"] = "none"
    imbalance_strength: float = Field(default=1.0, ge=0)  # 0 leaves the archive's mix, 1 makes all diagnoses alike
    focal_gamma: float = Field(default=0.0, ge=0)  # 0: plain cross-entropy
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    soft_labels: float = Field(default=0.0, ge=0, le=1)  # share of what is taught that the raters' votes give

    epochs: int = Field(default=10, ge=1)
    patience: int = Field(default=0, ge=0)  # epochs without a better one before it ends early; 0: never
    batch_size: int = Field(default=32, ge=2)  # pictures of a step, over all processes together
    accumulate: int = Field(default=1, ge=1)  # in how many parts each process computes its share of a step
    learning_rate: float = Field(default=1e-3, gt=0)  # at its peak, after the warm-up
    warmup_epochs: float = Field(default=1.0, ge=0)
    weight_decay: float = Field(default=0.05, ge=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)  # of the learning rate, per depth from the classifiers down
    frozen_epochs: float = Field(default=0.0, ge=0)  # at first only the classifiers learn
    frozen_normalisation: bool = False  # the statistics stay those of the pretrained weights
    ema: float = Field(default=0.0, ge=0, lt=1)  # decay of the averaged weights, by step; 0: none
    clip: float = Field(default=5.0, gt=0)  # the gradient's greatest norm
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"  # auto: what is fastest here, measured at the start
    compile: bool = False  # by torch.compile
    seed: int = 0

    rotation_degrees: float = Field(default=180.0, ge=0, le=180)  # a lesion has no up
    right_angles: bool = False  # turn by 0, 90, 180 or 270 degrees first
    zoom: float = Field(default=0.2, ge=0, lt=1)  # ± share of the scale
    shift: float = Field(default=0.05, ge=0, lt=1)  # ± share of the side
    light: float = Field(default=0.2, ge=0, lt=1)  # ± share of brightness and contrast
    white_balance: float = Field(default=0.05, ge=0, lt=1)  # ± share of each colour channel
    mixup: float = Field(default=0.0, ge=0)  # alpha of MixUp; 0: none
    cutmix: float = Field(default=0.0, ge=0)  # alpha of CutMix; 0: none; with both, each step draws one
    views: Literal[1, 2, 4, 8] = 1  # how many turned and mirrored views an answer is averaged over

    operating_point: str = "Youden"  # the rule for thresholds, such as "sensitivity>=0.95" or "cost=10@0.02"
    coverage: float = Field(default=0.95, gt=0, lt=1)  # how often a prediction set is to contain the truth
    acceptance: float = Field(default=0.95, gt=0, lt=1)  # share of the clinic's own pictures that is to be answered
    similar_cases: bool = True  # the bundle carries a row of features for each training case, to show similar ones by

    cross_validate: bool = False  # a network per fold of train and tune, and a bundle of them all
    minutes_between_checkpoints: float = Field(default=5.0, gt=0)

    @field_validator("operating_point")
    @classmethod
    def _rule(cls, text: str) -> str:
        try:
            rule_of(text)
        except UserError as error:
            raise ValueError(f"{error.what}; {error.mend}") from error
        return text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what contradicts itself, by a ValueError."""
        if self.auxiliary_weights and len(self.auxiliary_weights) != STAGES:
            raise ValueError(f"auxiliary_weights has {len(self.auxiliary_weights)} numbers; there are {STAGES} stages")
        if self.batch_size < self.accumulate:
            raise ValueError(f"batch_size {self.batch_size} cannot be computed in {self.accumulate} parts")
        return self

    @property
    def stage_weights(self) -> tuple[float, ...]:
        """The weight of each auxiliary classifier's loss, shallow to deep; empty where there are none."""
        if self.auxiliary_weights:
            return self.auxiliary_weights
        if not self.auxiliary_weight:
            return ()
        rising = self.auxiliary_profile == "rising"
        return tuple(self.auxiliary_weight * ((stage + 1) / STAGES if rising else 1.0) for stage in range(STAGES))


def read_recipe(recipe: str, settings: tuple[str, ...] = ()) -> TrainConfig:
    """Read a recipe by name or path and apply ``key=value`` settings.

    Raises:
        UserError: no such recipe, no TOML, an unknown key (the known ones are named) or an impossible value.
    """
    path = _find(recipe)
    content = read_toml(path, "config")
    given = {key: value for key, value in content.items() if key not in stamp("config")}
    return settled(
        TrainConfig, given | dict(map(setting_of, settings)), where=f"{path}{' and --set' if settings else ''}"
    )


def config_text(config: TrainConfig) -> str:
    """Return the resolved recipe as TOML that `read_recipe` reads back."""
    content = stamp("config") | config.model_dump()
    return "".join(f"{key} = {_toml(value)}\n" for key, value in content.items())


def _find(recipe: str) -> Path:
    if recipe.endswith(".toml"):
        return Path(recipe)
    shipped = {path.stem: path for folder in reversed(RECIPE_FOLDERS) for path in sorted(folder.glob("*.toml"))}
    if recipe not in shipped:
        mend = f"use one of: {', '.join(sorted(shipped))}; or a .toml file"
        raise UserError(f"unknown recipe {recipe!r}", where="--recipe", mend=mend)
    return shipped[recipe]


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case _:
            return repr(value)
