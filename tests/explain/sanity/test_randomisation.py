"""Weights are drawn anew from the classifiers down, in copies."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from cutis.explain.sanity.randomisation import cascade, levels_of
from cutis.network.ensemble import Ensemble
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_network, untrained_network
from factories import a_bundle_folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A small network's bundle."""
    return read_bundle(a_bundle_folder(tmp_path_factory.mktemp("bundle") / "invented"))


def _same(one, other, part):
    return all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items() if part in key)


def test_each_step_draws_one_layer_more_and_the_last_all(bundle):
    """The classifiers first, then neck and stages, the stem last; what is not reached is as it was learned."""
    network, fresh = torch_network(bundle), untrained_network(bundle, seed=1)

    steps = dict(cascade(network, fresh, levels_of(network)))

    names = [level.name for level in steps]
    assert names == ["classifiers", "neck", *(f"stage {number}" for number in range(7, 0, -1)), "stem"]
    by_name = {level.name: partly for level, partly in steps.items()}
    assert _same(by_name["classifiers"], fresh, "final.linear")
    assert _same(by_name["classifiers"], network, "stages.")
    assert _same(by_name["stage 4"], fresh, "stages.3.")
    assert _same(by_name["stage 4"], network, "stages.2.")
    assert _same(by_name["stem"], fresh, "")


def test_the_given_network_is_left_as_it_is(bundle):
    """Neither its weights nor what its normalisation has counted."""
    network = torch_network(bundle)
    before = deepcopy(network.state_dict())

    list(cascade(network, untrained_network(bundle, seed=1), levels_of(network)))

    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_an_untrained_network_depends_on_its_seed_and_on_nothing_else(bundle):
    """The same seed is the same network, another is another; the chance of others is not touched."""
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)

    one, same, other = (untrained_network(bundle, seed=seed) for seed in (1, 1, 2))

    assert torch.equal(torch.rand(1), expected)
    assert _same(one, same, "")
    assert not _same(one, other, "final.linear.weight")


def test_members_of_an_ensemble_fall_together(bundle):
    """A level is the same depth in each of them."""
    network, fresh = (Ensemble([each, deepcopy(each)]) for each in _pair(bundle))

    level, partly = next(iter(cascade(network, fresh, levels_of(network))))

    assert level.name == "classifiers"
    assert _same(partly, fresh, "final.linear")
    assert _same(partly, network, "stages.")


def _pair(bundle):
    return torch_network(bundle), untrained_network(bundle, seed=1)
