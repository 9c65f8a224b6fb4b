"""Settings from a file and from --set: an unknown key or an impossible value is one error that says how to mend it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cutis.vocabulary.errors import UserError

Settings = TypeVar("Settings", bound=BaseModel)


def setting_of(text: str) -> tuple[str, Any]:
    """Return key and value of a ``key=value``, where the value is TOML or a bare word, such as a file's path.

    Raises:
        UserError: there is no ``=`` in it.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text!r} is no setting", where="--set", mend="write --set key=value")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def settled(model: type[Settings], given: Mapping[str, Any], *, where: str) -> Settings:
    """Return settings that were checked.

    Raises:
        UserError: a key is unknown (the known ones are named), or a value is impossible, by itself or beside others.
    """
    if unknown := sorted(given.keys() - model.model_fields.keys()):
        mend = f"the known keys are: {', '.join(model.model_fields)}"
        raise UserError(f"unknown key {', '.join(map(repr, unknown))}", where=where, mend=mend)
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # no single key, but how several fit together
            raise UserError(str(first["ctx"]["error"]), where=where, mend="change one of them") from error
        key = ".".join(map(str, first["loc"]))
        mend = f"correct {key} (it was {first['input']!r})"
        raise UserError(f"{key}: {first['msg'].lower()}", where=where, mend=mend) from error
