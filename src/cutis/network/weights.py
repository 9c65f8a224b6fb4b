"""Weights from a safetensors file with timm's keys."""

from __future__ import annotations

import sys
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cutis.vocabulary.errors import UserError

TOLD = 8  # keys of each kind that an error shows
CHANNELS = 3
# These depend on the size of the pictures, and timm knows how to bring them to another one.
POSITIONS = ("pos_embed", "relative_position_bias_table")

Colours = tuple[float, ...]


def load_weights(network: Any, path: Path) -> tuple[Colours, Colours] | None:
    """Load every tensor of a file but its classifier into a network of timm, as float32.

    Returns:
        Mean and standard deviation of the pictures these weights want, where the file's metadata tells them as
        ``"0.485,0.456,0.406"``.

    Raises:
        UserError: no such file, no safetensors, or keys or shapes that do not fit, all of them counted.
    """
    said, found = _read(path)
    classifier = _classifier_of(network)
    wanted = {key: tensor for key, tensor in network.state_dict().items() if not key.startswith(classifier)}
    offered = {key: tensor for key, tensor in found.items() if not key.startswith(classifier)}
    if _only_positions_differ(wanted, offered):
        offered = _at_our_size(network, offered)
    misfit = _misfit(wanted, offered)
    if any(misfit):
        what = f"these weights do not fit the network: {_told(misfit)}"
        raise UserError(what, where=str(path), mend=_mend(wanted, offered))
    network.load_state_dict(offered, strict=False)
    return (_colours(said["mean"], path), _colours(said["std"], path)) if {"mean", "std"} <= said.keys() else None


class _Misfit(NamedTuple):
    missing: list[str]
    unknown: list[str]
    misshapen: list[str]


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  this is no dict
            return file.metadata() or {}, {key: _single(tensor) for key, tensor in found.items()}
    except FileNotFoundError as error:
        raise UserError("there are no weights here", where=str(path), mend="check the path given as weights") from error
    except (SafetensorError, OSError) as error:
        what = f"this is no safetensors file: {error}"
        raise UserError(what, where=str(path), mend="export the weights anew") from error


def _single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _classifier_of(network: Any) -> tuple[str, ...]:
    """Where the keys of the classifier begin; ours has other outputs."""
    named = network.default_cfg.get("classifier") or ()
    return tuple(f"{name}." for name in ((named,) if isinstance(named, str) else named))


def _misfit(wanted: dict[str, Tensor], offered: dict[str, Tensor]) -> _Misfit:
    return _Misfit(
        missing=sorted(key for key in wanted.keys() - offered.keys() if not key.endswith("num_batches_tracked")),
        unknown=sorted(offered.keys() - wanted.keys()),
        misshapen=sorted(key for key in wanted.keys() & offered.keys() if wanted[key].shape != offered[key].shape),
    )


def _only_positions_differ(wanted: dict[str, Tensor], offered: dict[str, Tensor]) -> bool:
    misfit = _misfit(wanted, offered)
    only_misshapen = bool(misfit.misshapen) and not misfit.missing and not misfit.unknown
    return only_misshapen and all(key.endswith(POSITIONS) for key in misfit.misshapen)


def _at_our_size(network: nn.Module, offered: dict[str, Tensor]) -> dict[str, Tensor]:
    """Let timm bring what it has learned of positions to our size of picture, as it does with its own weights."""
    bring = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    return dict(bring(offered, network)) if bring else offered


def _told(misfit: _Misfit) -> str:
    parts = zip(("missing", "not known", "of another shape"), misfit, strict=True)
    return "; ".join(f"{len(keys)} {what} ({_some(keys)})" for what, keys in parts if keys)


def _some(keys: list[str]) -> str:
    return ", ".join([*keys[:TOLD], "…"] if len(keys) > TOLD else keys)


def _mend(wanted: dict[str, Tensor], offered: dict[str, Tensor]) -> str:
    """Name what a wrapper has put before every key, where that is all that is wrong with them."""
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*(key.split(".") for key in offered), strict=False))
    prefix = "".join(f"{parts[0]}." for parts in shared)
    if any(key.removeprefix(prefix) in wanted for key in offered.keys() - wanted.keys()):
        return f"write the file anew without the {prefix!r} before every key"
    return "name the architecture these weights belong to, with timm's keys"


def _colours(text: str, path: Path) -> Colours:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != CHANNELS:
        mend = "write mean and std as three numbers, such as 0.485,0.456,0.406, or leave both out"
        raise UserError(f"the metadata gives {text!r} for three colours", where=str(path), mend=mend)
    return values
