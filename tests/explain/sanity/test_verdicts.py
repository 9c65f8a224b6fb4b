"""A method is offered by rules, and what means nothing is found out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cutis.explain.saliency.methods import Method, methods_of
from cutis.explain.sanity.examination import examine
from cutis.explain.sanity.examined import Plan
from cutis.explain.sanity.figures import sanity_figures
from cutis.explain.sanity.findings import ClusterIds, findings_of, paired
from cutis.explain.sanity.inquiry import content_of
from cutis.explain.sanity.masks import INSIDE
from cutis.explain.sanity.pointing import blob
from cutis.explain.sanity.subject import subject_of
from cutis.explain.sanity.verdicts import LEAST_STABLE, MOST_KEPT, offered, verdicts_of
from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_network, untrained_network
from factories import a_bundle_folder, a_scene

SIZE = 64
PLAN = Plan(cases=16, own_pass_cases=16, seeds=4, cascade_seeds=1, steps=4)


def _edges(_network, picture, _question):
    """A map that never asks the network: how much each pixel differs from its neighbours."""
    grey = picture[0].mean(dim=0)
    edges = torch.zeros_like(grey)
    edges[1:, 1:] = (grey[1:, 1:] - grey[:-1, 1:]).abs() + (grey[1:, 1:] - grey[1:, :-1]).abs()
    return edges.cpu().numpy()


def _middle(_network, picture, _question):
    """A map that asks neither network nor picture."""
    return blob(picture.shape[2], picture.shape[3]).astype(np.float32)


FAKES = {
    "edges": Method(_edges, "edges of the picture", "nobody", is_signed=False),
    "middle": Method(_middle, "the middle of the picture", "nobody", is_signed=False),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A small network's bundle, which sees 64 pixels."""
    preparation = Preparation(size=SIZE, mean=(0.5,) * 3, std=(0.25,) * 3)
    return read_bundle(a_bundle_folder(tmp_path_factory.mktemp("bundle") / "invented", preparation=preparation))


@pytest.fixture(scope="module")
def subject(bundle):
    """Sixteen pictures with a spot in the middle, whose mask is known."""
    pictures = [a_scene(width=80, height=80, seed=seed) for seed in range(16)]
    down, across = np.mgrid[:80, :80]
    spot = np.hypot(down - 40, across - 40) < 20
    names = [f"scene{number}" for number in range(16)]
    return subject_of(
        bundle, torch_network(bundle), pictures, [0] * 16, keys=names, masks=[{INSIDE: spot} for _ in names]
    )


@pytest.fixture(scope="module")
def examined(bundle, subject):
    """Fakes beside what the network says itself."""
    methods = FAKES | {name: each for name, each in methods_of(bundle.auxiliary).items() if each.in_pass}
    return examine(
        torch_network(bundle),
        methods,
        subject,
        plan=PLAN,
        untrained=lambda seed: untrained_network(bundle, seed=seed),
    )


CLUSTERS = ClusterIds(ids=tuple(f"patient{number}" for number in range(16)), kind="patient")


def test_a_map_that_ignores_the_weights_is_found_out(examined):
    """Edges of the picture and a blob stay when all is drawn anew, and fail; what the network says does not stay."""
    findings = {name: findings_of(each, CLUSTERS) for name, each in examined.items()}

    for fake in FAKES:
        assert findings[fake].weights["trained"].value == pytest.approx(1)
        assert verdicts_of(findings[fake])["weights"].is_passed is False
        assert fake not in offered(findings)
    assert findings["stage_1"].weights["trained"].value < 0.5


def test_two_untrained_networks_agree_on_a_map_that_ignores_them(examined):
    """The null tells why it stays: so that nobody takes a high null for an excuse."""
    assert findings_of(examined["edges"], CLUSTERS).weights["null"].value == pytest.approx(1)


def test_a_blob_in_the_middle_does_not_point(examined):
    """It has more inside than an even map, since lesions are there; but just as much as the blob of another picture."""
    found = findings_of(examined["middle"], CLUSTERS)

    pointing = found.pointing[INSIDE]
    assert pointing["over_chance"].value > 0.2
    assert pointing["over_others"].value == pytest.approx(0)
    assert verdicts_of(found)["pointing"].is_passed is False


def test_the_cascade_ends_where_all_is_anew(examined):
    """Maps of a stage's own classifier fall with the first step; nothing is missing in between."""
    cascade = findings_of(examined["stage_1"], CLUSTERS).cascade

    assert list(cascade)[:2] == ["classifiers", "neck"]
    assert list(cascade)[-1] == "stage 1"
    assert abs(cascade["classifiers"].value) < 0.6


def test_every_measure_stays_within_its_bounds(examined):
    """Shares and areas between 0 and 1, correlations between −1 and 1, none missing."""
    for each in examined.values():
        for values in each.stability.values():
            assert (np.abs(values) <= 1 + 1e-9).all()
        for name in ("share", "hit", "chance", "blob", "others"):
            assert ((each.pointing[INSIDE][name] >= 0) & (each.pointing[INSIDE][name] <= 1)).all()
        for removal in (each.own, each.moved, each.blob):
            assert ((removal.deletion >= 0) & (removal.deletion <= 1)).all()
            np.testing.assert_allclose(removal.deletion[:, 0], removal.insertion[:, -1], atol=1e-5)


def test_methods_are_compared_on_the_same_cases(examined):
    """One that was asked of fewer is held against the first of the others alone."""
    few = replace(
        examined["edges"],
        own=replace(
            examined["edges"].own,
            deletion=examined["edges"].own.deletion[:12],
            insertion=examined["edges"].own.insertion[:12],
        ),
        pointing={INSIDE: {name: each[:12] for name, each in examined["edges"].pointing[INSIDE].items()}},
        stability={name: each[:12] for name, each in examined["edges"].stability.items()},
    )

    less = paired(examined["fused"], few, CLUSTERS)[f"{INSIDE}/share"]

    first, second = (examined[name].pointing[INSIDE]["share"][:12] for name in ("fused", "edges"))
    assert less.clusters == 12
    assert less.value == pytest.approx((first - second).mean())


def test_a_network_without_auxiliary_classifiers_has_its_final_map(examined):
    """It takes the place of the joined one: nothing is missing in the comparison or in the figures."""
    some = {name: examined[name] for name in ("final", "edges")}
    findings = {name: findings_of(each, CLUSTERS) for name, each in some.items()}

    said = content_of(FAKES | methods_of(0), findings, some, CLUSTERS)

    assert "fused" not in methods_of(0)
    assert said["compared"]["first"] == "final"
    assert set(said["compared"]["less"]) == {"edges"}
    assert len(sanity_figures(findings, offered(findings), of_what="a test")) == 4


def _found(examined, **changes):
    """Findings that pass everything, but for some."""
    found = findings_of(examined["edges"], CLUSTERS)
    estimate = found.stability["shift"]

    def at(value, spread=0.05):
        return replace(estimate, value=value, low=value - spread, high=value + spread)

    good = {
        "weights": {"trained": at(0.0)},
        "removal": {"gained": at(0.2)},
        "pointing": {INSIDE: {"over_chance": at(0.2), "over_others": at(0.2)}},
        "stability": {"shift": at(0.9), "noise": at(0.9)},
    }
    return replace(found, **(good | {name: change(at) for name, change in changes.items()}))


def test_what_passes_every_rule_is_offered(examined):
    """And where nothing is known of the pictures, pointing is not asked."""
    unknown = _found(examined, pointing=lambda _: {})

    assert offered({"good": _found(examined), "unknown": unknown}) == ("good", "unknown")
    assert verdicts_of(unknown)["pointing"].is_passed is None


@pytest.mark.parametrize(
    ("rule", "part", "change"),
    [
        ("weights", "weights", lambda at: {"trained": at(MOST_KEPT - 0.01)}),
        ("removal", "removal", lambda at: {"gained": at(0.01)}),
        ("pointing", "pointing", lambda at: {INSIDE: {"over_chance": at(0.2), "over_others": at(0.01)}}),
        ("stability", "stability", lambda at: {"shift": at(LEAST_STABLE + 0.01), "noise": at(0.9)}),
        ("stability", "stability", lambda at: {"shift": replace(at(0.9), low=None, high=None), "noise": at(0.9)}),
    ],
)
def test_an_interval_that_reaches_the_limit_fails(examined, rule, part, change):
    """The whole interval must lie on the right side; a figure without one is not enough."""
    found = _found(examined, **{part: change})

    assert {name for name, verdict in verdicts_of(found).items() if verdict.is_passed is False} == {rule}
    assert offered({"method": found}) == ()
