"""What is asked of the test, in a file that a clinic writes before the test is opened, and how the answer came out.

The ledger of openings keeps the sha256 of the file with each opening, so that nobody has to believe that it came first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cutis.runtime.bundle import Bundle
from cutis.stats.hypotheses import (
    Hypothesis,
    Verdict,
    against_number,
    falls_when_better,
    judge,
    negated,
    with_holm,
)
from cutis.stats.intervals import LEVEL
from cutis.stats.operating_points import rule_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_toml, sha256_of
from cutis.vocabulary.registration import Registration

NAME = "protocol.toml"
EXAMPLE = "recipes/protocols/example.toml"


class Endpoint(BaseModel):
    """A figure of the network, held against a number or against the same figure of another bundle."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    measure: str  # by its name in estimates.json
    reference: float | str  # a fixed number, or the name of a bundle
    hypothesis: Hypothesis
    margin: float = Field(default=0.0, ge=0)  # to be exceeded (superiority), or tolerated (the others)
    level: float | None = Field(
        default=None, ge=0.5, le=LEVEL
    )  # of the interval at least; none: 0.95, equivalence 0.90

    @field_validator("reference", mode="before")
    @classmethod
    def _number_or_name(cls, reference: Any) -> Any:
        if type(reference) not in {int, float, str}:  # a bool is an int, and no number here
            raise ValueError("it is a number, or the name of a bundle")
        return reference

    @model_validator(mode="after")
    def _tolerates_something(self) -> Self:
        """Refuse a margin of 0 where it says what is tolerated, by a ValueError."""
        if self.hypothesis != "superiority" and not self.margin:
            raise ValueError(f"{self.hypothesis} needs a margin above 0")
        return self

    def __str__(self) -> str:
        return f"{self.measure} against {self.reference}"


class ProtocolFile(BaseModel):
    """What a protocol.toml says."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: int = 1
    title: str = ""
    written_by: str = Field(min_length=1)
    written_on: date
    network: str  # the bundle that is examined
    primary: Endpoint
    secondary: tuple[Endpoint, ...] = ()
    holm: bool = True  # whether the secondary endpoints are corrected for their number
    operating_point: str = ""  # the rule for thresholds, such as "sensitivity>=0.95"; empty: not fixed
    acceptance: float | None = Field(default=None, gt=0, le=1)  # share of own cases that must be answered
    text: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what contradicts itself, by a ValueError."""
        endpoints = (self.primary, *self.secondary)
        if any(endpoint.reference == self.network for endpoint in endpoints):
            raise ValueError(f"{self.network} cannot be its own reference")
        if len(set(map(str, endpoints))) < len(endpoints):
            raise ValueError("an endpoint stands there twice")
        return self


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A protocol with the sha256 that proves which one it is."""

    path: Path
    sha256: str
    says: ProtocolFile

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints, the primary one first."""
        return (self.says.primary, *self.says.secondary)


class Judged(NamedTuple):
    """An endpoint with its verdict."""

    endpoint: Endpoint
    verdict: Verdict


class UnderProtocol(NamedTuple):
    """A protocol, what the ledger of openings says of it, and how it came out."""

    protocol: Protocol | None  # None where there is none
    registration: Registration
    verdicts: tuple[Judged, ...] = ()  # the primary endpoint's first; none where nothing was asked of this bundle
    apart: tuple[str, ...] = ()  # what was done otherwise than it says

    def content(self) -> dict[str, Any]:
        """Return what is written down for a report, as plain data; without a protocol, that there was none."""
        content: dict[str, Any] = {"registration": self.registration.to_dict()}
        if self.protocol is None:
            return content
        said = self.protocol.says.model_dump(mode="json", exclude={"primary", "secondary", "format"})
        endpoints = [
            each.endpoint.model_dump(mode="json") | {"verdict": asdict(each.verdict)} for each in self.verdicts
        ]
        return content | said | {"endpoints": endpoints, "departures": list(self.apart)}

    def lines(self) -> tuple[str, ...]:
        """Return what a person reads of it: which one, since when, and the verdict of the primary endpoint."""
        if self.protocol is None:
            return (f"no protocol: {self.registration.why}",)
        told = [f"protocol {self.protocol.sha256[:12]}, {self.registration}"]
        told += [f"primary endpoint {each.endpoint}: {each.verdict.words}" for each in self.verdicts[:1]]
        return (*told, *(f"other than the protocol says: {each}" for each in self.apart))


def find_protocol(root: Path, given: Path | None = None) -> Protocol | None:
    """Read the protocol that is given, or else the one in the workspace's root; None where there is none.

    Raises:
        UserError: see `read_protocol`.
    """
    path = root / NAME if given is None else given
    return read_protocol(path) if given is not None or path.exists() else None


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Raises:
        UserError: no such file, no TOML, an unknown key (the known ones are named), an impossible value, or an unknown
            rule for operating points.
    """
    content = read_toml(path, "protocol")
    try:
        says = ProtocolFile.model_validate({key: value for key, value in content.items() if key != "kind"})
    except ValidationError as error:
        raise _explained(error, path) from error
    if says.operating_point:
        rule_of(says.operating_point, where=f"{path}, operating_point")
    return Protocol(path=path, sha256=sha256_of(path), says=says)


def require_known(protocol: Protocol, *, measures: Collection[str], bundles: Collection[str]) -> None:
    """Refuse a protocol that asks for what there is not, before the test is opened for it.

    Args:
        protocol: what is asked.
        measures: the names of all figures that an evaluation of its network has.
        bundles: the names of all bundles in the workspace.

    Raises:
        UserError: an unknown figure or bundle; the known ones are named.
    """
    where = str(protocol.path)
    references = [endpoint.reference for endpoint in protocol.endpoints if isinstance(endpoint.reference, str)]
    for name in (protocol.says.network, *references):
        if name not in bundles:
            mend = f"use one of: {', '.join(sorted(bundles))}; or train it first"
            raise UserError(f"unknown bundle {name!r}", where=where, mend=mend)
    for endpoint in protocol.endpoints:
        if endpoint.measure not in measures:
            mend = f"use one of: {_grouped(measures)}"
            raise UserError(f"unknown measure {endpoint.measure!r}", where=where, mend=mend)


def judged(
    protocol: Protocol, *, estimates: Mapping[str, Estimate], differences: Mapping[str, Mapping[str, Estimate]]
) -> tuple[Judged, ...]:
    """Return the verdict of each endpoint, the primary one first.

    The primary endpoint stands alone; the secondary ones are corrected for their number where the protocol says so.

    Args:
        protocol: what is asked.
        estimates: the figures of the protocol's network, by their names.
        differences: how far they lie from those of each bundle that it was compared with (network − other), by the
            other's name and the figure's; an endpoint against a bundle that is not among them cannot be tested.
    """
    verdicts = [_judge(protocol, endpoint, estimates, differences) for endpoint in protocol.endpoints]
    primary, *secondary = map(Judged, protocol.endpoints, verdicts)
    if protocol.says.holm:
        corrected = with_holm({str(each.endpoint): each.verdict for each in secondary})
        secondary = [each._replace(verdict=corrected[str(each.endpoint)]) for each in secondary]
    return (primary, *secondary)


def held_against(
    protocol: Protocol | None,
    registration: Registration,
    bundle: Bundle,
    *,
    estimates: Mapping[str, Estimate],
    differences: Mapping[str, Mapping[str, Estimate]] = MappingProxyType({}),
) -> UnderProtocol:
    """Judge what a bundle reached, where there is a protocol and it asks of this bundle; see `judged`."""
    if protocol is None or protocol.says.network != bundle.name:
        return UnderProtocol(protocol, registration)
    acceptance = None if bundle.acceptance is None else bundle.acceptance.share
    return UnderProtocol(
        protocol,
        registration,
        verdicts=judged(protocol, estimates=estimates, differences=differences),
        apart=departures(protocol, operating_point=bundle.thresholds.rule, acceptance=acceptance),
    )


def departures(protocol: Protocol, *, operating_point: str, acceptance: float | None) -> tuple[str, ...]:
    """Say what was done otherwise than the protocol says: the rule for thresholds, and the share that is answered."""
    asked, share = protocol.says.operating_point, protocol.says.acceptance
    found = []
    if asked and _spelt(asked) != _spelt(operating_point):
        found.append(f"thresholds by {operating_point}, where the protocol says {asked}")
    if share is not None and share != acceptance:
        done = "no abstention" if acceptance is None else f"abstention at an acceptance of {acceptance:g}"
        found.append(f"{done}, where the protocol says {share:g}")
    return tuple(found)


def seen_from(
    network: str, *, reference: str, differences: Mapping[str, Mapping[str, Estimate]]
) -> dict[str, dict[str, Estimate]]:
    """Turn the differences of a comparison (other − reference, by the other's name) into network − other, by `judged`.

    Where the network is not the comparison's reference, the reference is the only one it was compared with.
    """
    if network == reference:
        return {
            other: {name: negated(difference) for name, difference in found.items()}
            for other, found in differences.items()
        }
    return {reference: dict(differences[network])} if network in differences else {}


def _judge(
    protocol: Protocol,
    endpoint: Endpoint,
    estimates: Mapping[str, Estimate],
    differences: Mapping[str, Mapping[str, Estimate]],
) -> Verdict:
    if isinstance(endpoint.reference, str):
        found = differences.get(endpoint.reference, {}).get(endpoint.measure)
        missing = f"it needs cutis evaluate {protocol.says.network} {endpoint.reference}"
        missing = "one of the two has no such figure" if endpoint.reference in differences else missing
    else:
        figure = estimates.get(endpoint.measure)
        found = None if figure is None else against_number(figure, endpoint.reference)
        missing = "this evaluation has no such figure"
    nothing = Estimate(value=None, low=None, high=None, method="none", clusters=0, cluster_kind="", note=missing)
    return judge(
        found or nothing,
        hypothesis=endpoint.hypothesis,
        margin=endpoint.margin,
        level=endpoint.level,
        lower_is_better=falls_when_better(endpoint.measure),
    )


def _explained(error: ValidationError, path: Path) -> UserError:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    said = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known: type[BaseModel] = Endpoint if len(first["loc"]) > 1 else ProtocolFile
        return UserError(f"unknown key {key!r}", where=str(path), mend=f"use one of: {', '.join(known.model_fields)}")
    return UserError(f"{key}: {said}" if key else said, where=str(path), mend=f"compare it with {EXAMPLE}")


def _grouped(names: Collection[str]) -> str:
    """List names, those that differ in their last part alone as one: ``auc/(a, b)``."""
    last: dict[str, list[str]] = {}
    for name in names:
        before, slash, end = name.rpartition("/")
        last.setdefault(before + slash, []).append(end)
    alone = sorted(last.pop("", []))
    return ", ".join([*alone, *(f"{before}({', '.join(sorted(ends))})" for before, ends in sorted(last.items()))])


def _spelt(rule: str) -> str:
    return re.sub(r"\s", "", rule).lower().replace("≥", ">=")
