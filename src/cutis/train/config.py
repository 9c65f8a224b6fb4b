"""Every knob of a training, flat and frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml, stamp

# In a wheel the recipes lie in the package, in a checkout at its top.
RECIPE_FOLDERS = (Path(__file__).parents[1] / "recipes", Path(__file__).parents[3] / "recipes")


class TrainConfig(BaseModel):
    """A training recipe. What the paper does not tell is a setting here, never a claim about the paper."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    network: str = "efficientnet_b0"  # a timm name with seven stages
    weights: str = "none"  # "none", "imagenet", or a safetensors file with timm's keys
    size: int = Field(default=96, ge=32, le=1024)  # pixels a side
    resize: Literal["squash", "crop", "pad"] = "squash"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    stochastic_depth: float = Field(default=0.0, ge=0, lt=1)

    auxiliary_weight: float = Field(default=1.0, ge=0)  # of each auxiliary classifier's loss beside the final one's 1
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)

    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)  # at its peak, after the warm-up
    warmup_epochs: float = Field(default=1.0, ge=0)
    weight_decay: float = Field(default=0.05, ge=0)
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0

    rotation_degrees: float = Field(default=180.0, ge=0, le=180)  # a lesion has no up
    zoom: float = Field(default=0.2, ge=0, lt=1)  # ± share of the scale
    shift: float = Field(default=0.05, ge=0, lt=1)  # ± share of the side
    light: float = Field(default=0.2, ge=0, lt=1)  # ± share of brightness and contrast
    white_balance: float = Field(default=0.05, ge=0, lt=1)  # ± share of each colour channel

    minutes_between_checkpoints: float = Field(default=5.0, gt=0)


def read_recipe(recipe: str, settings: tuple[str, ...] = ()) -> TrainConfig:
    """Read a recipe by name or path and apply ``key=value`` settings.

    Raises:
        UserError: no such recipe, no TOML, an unknown key (the known ones are named) or an impossible value.
    """
    path = _find(recipe)
    content = read_toml(path, "config")
    given = {key: value for key, value in content.items() if key not in stamp("config")}
    return _checked(given | dict(map(_setting, settings)), where=f"{path}{' and --set' if settings else ''}")


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


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text!r} is no setting", where="--set", mend="write --set key=value")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()  # a bare word, such as a file's path


def _checked(given: dict[str, Any], *, where: str) -> TrainConfig:
    unknown = sorted(given.keys() - TrainConfig.model_fields.keys())
    if unknown:
        mend = f"the known keys are: {', '.join(TrainConfig.model_fields)}"
        raise UserError(f"unknown key {', '.join(map(repr, unknown))}", where=where, mend=mend)
    try:
        return TrainConfig(**given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        mend = f"correct {key} (it was {first['input']!r})"
        raise UserError(f"{key}: {first['msg'].lower()}", where=where, mend=mend) from error


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case _:
            return repr(value)
