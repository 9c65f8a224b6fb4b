"""Several processes know each other, and say so when one is lost."""

from __future__ import annotations

import ast
import sys

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from cutis.train.launch import launch
from cutis.train.ranks import ALONE, Ranks, Seat, first_host, is_one_of_several, joined, seat_of, tells_of_a_lost_peer
from cutis.vocabulary.errors import UserError
from train import rank_jobs

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_ADDR": "node7", "MASTER_PORT": "29500"}
SLURM = {
    "SLURM_PROCID": "5",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_JOB_ID": "40007",
    "SLURM_JOB_NODELIST": "gpu[07-08]",
}


def test_two_ranks_hear_the_same(tmp_path):
    """Sums and arrays come in rank order to both, also where one has nothing to give."""
    launch(2, rank_jobs.talk, tmp_path)

    first, second = (ast.literal_eval((tmp_path / name).read_text()) for name in ("0", "1"))
    assert (first.pop("leads"), second.pop("leads")) == (True, False)
    assert first == second
    assert first == {
        "total": (2.0, 0.1),
        "gathered": [[], [[1.0, 1.0, 1.0]] * 2],
        "shapes": [(0, 3), (2, 3)],
        "places": [[0], [0, 1]],
    }


def test_a_shared_network_learns_from_all_and_aligns_its_statistics():
    """The gradient is the mean over ranks, from the same weights, and a network without ranks finds the same."""
    parts = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0)).tolist()

    (first, second), drifted, aligned, broadcast = launch(2, rank_jobs.learn, parts)

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    for part in parts:
        for half in torch.tensor(part).chunk(2):
            torch.autograd.backward(network(half).square().sum() / 2)
    alone = torch.cat([each.grad.ravel() for each in network.parameters()])
    assert first == second
    torch.testing.assert_close(torch.tensor(first), alone, rtol=1e-3, atol=1e-5)
    assert not np.array_equal(*drifted)
    np.testing.assert_array_equal(*aligned)
    np.testing.assert_array_equal(aligned[0], drifted[0])
    np.testing.assert_array_equal(broadcast, np.zeros((2, 4)))


def test_alone_needs_no_torch_distributed(monkeypatch):
    """Some builds of torch have none."""
    monkeypatch.setitem(sys.modules, "torch.distributed", None)
    for name in (*TORCHRUN, *SLURM):
        monkeypatch.delenv(name, raising=False)
    network, array = nn.Linear(2, 2), np.arange(3)

    with joined() as ranks:
        ranks.wait()
        ranks.align(network)
        with ranks.without_sharing(network):
            assert ranks.share(network) is network
        assert ranks == ALONE == Ranks()
        assert ranks.leads
        assert ranks.total((1, 2.5)) == (1.0, 2.5)
        assert ranks.gather(array)[0] is array


def test_alone_errors_keep_their_kind(monkeypatch):
    """There is nobody to lose."""
    for name in (*TORCHRUN, *SLURM):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(RuntimeError, match="ours"), joined():
        raise RuntimeError("ours")


def test_torchrun_is_understood():
    """And the launcher of this package, which tells the same."""
    assert seat_of(TORCHRUN) == Seat(rank=3, world=8, local_rank=1, address="node7", port=29500)


def test_slurm_is_understood():
    """The first node is where they meet, on a port that belongs to the job."""
    seat = seat_of(SLURM)

    assert seat == Seat(rank=5, world=8, local_rank=1, address="gpu07", port=25007, by_slurm=True)


def test_slurm_may_be_told_where_to_meet():
    """As a machine of several networks needs it."""
    seat = seat_of(SLURM | {"MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "12345"})

    assert (seat.address, seat.port) == ("10.0.0.7", 12345)


def test_a_step_of_slurm_on_some_nodes_meets_on_the_first_of_them():
    """The job's first node may be none of its own."""
    assert seat_of(SLURM | {"SLURM_STEP_NODELIST": "gpu08"}).address == "gpu08"


def test_a_launcher_within_slurm_goes_first():
    """It was started later, and knows better."""
    assert seat_of(SLURM | TORCHRUN) == seat_of(TORCHRUN)


@pytest.mark.parametrize(
    "environ", [{}, SLURM | {"SLURM_NTASKS": "1"}, {"SLURM_PROCID": "0"}, {"SLURM_NTASKS": "4"}, {"MASTER_ADDR": "x"}]
)
def test_who_was_not_started_with_others_is_alone(environ):
    """Also in a SLURM job of one task, and in its shell."""
    assert seat_of(environ) == Seat()


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("node[01-04]", "node01"),
        ("node[3,07-09]", "node3"),
        ("a,b", "a"),
        ("gpu-a[2-3],cpu1", "gpu-a2"),
        ("cpu1,gpu[2-3]", "cpu1"),
        ("rack[1-2]-n[05-06]", "rack1-n05"),
    ],
)
def test_the_first_node_is_found(nodes, first):
    """In the forms in which SLURM lists them."""
    assert first_host(nodes) == first


@pytest.mark.parametrize("missing", list(TORCHRUN))
def test_an_incomplete_environment_is_named(missing):
    """The variable that is missing, and how it comes to be set."""
    environ = {name: value for name, value in TORCHRUN.items() if name != missing}

    with pytest.raises(UserError, match=f"{missing} is missing"):
        seat_of(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RANK", "8"),
        ("RANK", "-1"),
        ("RANK", "first"),
        ("WORLD_SIZE", "0"),
        ("LOCAL_RANK", "8"),
        ("MASTER_PORT", "65536"),
        ("MASTER_PORT", "²"),
    ],
)
def test_an_impossible_environment_is_named(name, value):
    """It cannot be, so nothing is tried with it."""
    with pytest.raises(UserError, match=f"{name} cannot be '{value}'"):
        seat_of(TORCHRUN | {name: value})


def test_an_incomplete_slurm_is_named():
    """Several tasks that do not know where they are."""
    with pytest.raises(UserError, match="SLURM_LOCALID is missing"):
        seat_of({name: value for name, value in SLURM.items() if name != "SLURM_LOCALID"})


def test_being_one_of_several_is_known_before_they_meet(monkeypatch):
    """Nothing is joined for the answer."""
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)

    assert is_one_of_several()


def test_processes_that_do_not_meet_say_where_they_waited(monkeypatch):
    """One that nobody else came to."""
    monkeypatch.setattr("cutis.train.ranks.MEETING", rank_jobs.A_MOMENT)
    environ = TORCHRUN | {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "9"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(UserError, match="did not find each other") as caught, joined():
        pass

    assert caught.value.where == "process 2 of 2, at 127.0.0.1:9"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[third_party/gloo/gloo/transport/tcp/pair.cc:561] Connection closed by peer [127.0.0.1]:10669."),
        RuntimeError("[gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 3000ms for recv operation"),
        RuntimeError("[gloo/transport/tcp/pair.cc:545] writev [127.0.0.1]:9: Broken pipe"),
        dist.DistNetworkError("Failed to recv, got 0 bytes. Connection was likely closed."),
        dist.DistStoreError("wait timeout after 300000ms, keys: /0"),
        dist.DistBackendError("NCCL error: remote process exited or there was a network error, ncclRemoteError"),
        dist.DistBackendError("[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7)"),
    ],
)
def test_a_lost_peer_is_known_by_its_error(error):
    """As gloo, the store and NCCL tell it."""
    assert tells_of_a_lost_peer(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        RuntimeError("a socket of ours was closed"),
        RuntimeError("[enforce fail at gloo/transport/tcp/pair.cc:446] op.preamble.length <= op.nbytes. 8 vs 4"),
        dist.DistBackendError("NCCL error: invalid usage, ncclInvalidUsage: Duplicate GPU detected"),
        torch.OutOfMemoryError("out of memory"),
    ],
)
def test_our_own_errors_are_not_taken_for_a_lost_peer(error):
    """They are bugs, and keep their traceback."""
    assert not tells_of_a_lost_peer(error)
