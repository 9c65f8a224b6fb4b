"""What a step needs is known before it is run, and what to change is told where it is too much."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from cutis.train.memory import (
    Need,
    available,
    memory_of_machine,
    need_of,
    out_of_memory_is_a_user_error,
    require_memory,
    spoken_bytes,
)
from cutis.vocabulary.errors import UserError

GB = 10**9
NEED = Need(fixed=GB, per_picture=GB)

# One step on random pictures, as a training takes it.
A_STEP = """
import resource, sys
import timm, torch
from cutis.train.memory import need_of, out_of_memory_is_a_user_error

torch.set_num_threads(1)
network = timm.create_model("mobilenetv2_050", num_classes=7)
need = need_of(network, size=96, ema=False)
optimizer = torch.optim.AdamW(network.parameters())

def told(key):
    lines = open("/proc/self/status", encoding="utf-8").read().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key + ":")).split()[1])

def step(pictures):
    network(torch.rand(pictures, 3, 96, 96)).logsumexp(1).sum().backward()
    optimizer.step()
"""
HOW_HIGH = """
before = told("VmRSS")
step(32)
print(told("VmHWM") - before, need.total(32))
"""
TOO_HIGH = """
step(2)
resource.setrlimit(resource.RLIMIT_AS, (told("VmSize") + 2**29,) * 2)
with out_of_memory_is_a_user_error(need, 512, available=2**29):
    step(512)
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, whose memory is its own."""
    return subprocess.run([sys.executable, "-c", A_STEP + program], capture_output=True, text=True, check=False)


def a_network() -> nn.Module:
    """One convolution of 3 × 4 weights, whose output is kept for its activation's backward."""
    return nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.Sigmoid())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its peak")
def test_the_estimate_is_not_far_above_what_a_step_really_takes():
    """Measured: never much too low, which would break a night's training, and not twice too high."""
    asked = run(HOW_HIGH)

    measured, estimated = map(int, asked.stdout.split())

    assert 0.9 < estimated / measured < 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_memory_that_really_runs_out_is_a_user_error():
    """The processor's allocator truly fails here; the batch size that would fit is told."""
    ended = run(TOO_HIGH)

    assert "UserError: memory ran out in a step of 512 pictures" in ended.stderr
    assert "where: batch_size of the recipe" in ended.stderr
    assert "--set accumulate=" in ended.stderr


def test_what_is_kept_is_counted_by_the_picture():
    """Pictures (3 numbers a place) and the sigmoid's output (4), and half as much again to work with."""
    need = need_of(a_network(), size=32, ema=False)

    assert need.per_picture == 32 * 32 * (3 + 4) * 4 * 1.5


def test_weights_gradients_and_moments_are_counted_once():
    """A larger step needs no more of them; an average of the weights is one more copy."""
    plain, averaged = (need_of(a_network(), size=32, ema=ema) for ema in (False, True))

    assert averaged.fixed - plain.fixed == 12 * 4
    assert averaged.per_picture == plain.per_picture


def test_what_is_changed_in_place_or_only_seen_differently_counts_once():
    """Two names of the same memory take no more of it."""
    layers = (nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))

    once = need_of(nn.Sequential(*layers), size=32, ema=False)
    twice = need_of(nn.Sequential(*layers, nn.Flatten(), nn.ReLU()), size=32, ema=False)

    assert twice.per_picture - once.per_picture == 32 * 32 * 4 * 4 * 1.5


def test_mixed_precision_needs_less_for_each_picture():
    """Half of what is kept; the room to work in stays as it is."""
    full, mixed = (need_of(a_network(), size=32, ema=False, bytes_per_number=count) for count in (4, 2))

    assert mixed.per_picture == full.per_picture * 2 / 3


def test_a_frozen_network_is_counted_as_it_is_later():
    """Where the backbone learns only after some epochs, the first step must not promise too little."""
    network = timm.create_model("mobilenetv2_050", num_classes=3)
    whole = need_of(network, size=64, ema=False)

    frozen = need_of(network.requires_grad_(requires_grad=False), size=64, ema=False)

    assert frozen == whole


def test_the_network_is_left_as_it_was():
    """On its device, in its mode, with its numbers."""
    network = timm.create_model("mobilenetv2_050", num_classes=3).eval()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}

    need_of(network, size=64, ema=False)

    assert not network.training
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())


def test_what_fits_passes():
    """To the last byte."""
    require_memory(NEED, 10, available=11 * GB)


def test_too_large_a_step_says_what_would_fit():
    """Fewer pictures, or the same in parts."""
    with pytest.raises(UserError) as caught:
        require_memory(NEED, 40, available=20 * GB)

    assert caught.value.what == "a step of 40 pictures needs about 41 GB of memory, and 20 GB are free"
    assert caught.value.where == "batch_size of the recipe"
    assert (
        caught.value.mend == "at most batch_size=19 fits, or accumulate=3 parts keep batch_size=40 (--set accumulate=3)"
    )


def test_parts_and_processes_share_the_step():
    """What counts is what one process computes at once; what is told is in the recipe's terms."""
    require_memory(NEED, 160, available=21 * GB, accumulate=4, processes=2)

    with pytest.raises(UserError) as caught:
        require_memory(NEED, 160, available=11 * GB, accumulate=4, processes=2)

    assert caught.value.what.startswith("a step of 20 pictures at once needs about 21 GB")
    assert "at most batch_size=80 fits, or accumulate=8 parts keep batch_size=160" in caught.value.mend


def test_where_not_even_two_pictures_fit_the_network_is_too_large():
    """No batch size helps; size and network do."""
    with pytest.raises(UserError, match="smaller size or a smaller network") as caught:
        require_memory(NEED, 32, available=2 * GB)

    assert caught.value.where == "size and network of the recipe"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_way_of_saying_no_memory_is_understood(error):
    """Where the estimate says that it should have fitted, half of what failed is proposed."""
    with pytest.raises(UserError) as caught, out_of_memory_is_a_user_error(NEED, 16, available=100 * GB):
        raise error

    assert caught.value.what == "memory ran out in a step of 16 pictures"
    assert "at most batch_size=8 fits, or accumulate=2" in caught.value.mend


def test_what_the_estimate_says_goes_before_half():
    """It knows more than that 16 were too many."""
    with pytest.raises(UserError) as caught, out_of_memory_is_a_user_error(NEED, 16, available=4 * GB):
        raise MemoryError

    assert "at most batch_size=3 fits" in caught.value.mend


@pytest.mark.parametrize("error", [RuntimeError("shapes cannot be multiplied"), OSError(2, "No such file")])
def test_other_errors_stay_what_they_are(error):
    """They are our bugs, or someone else's to explain."""
    with pytest.raises(type(error)) as caught, out_of_memory_is_a_user_error(NEED, 16, available=GB):
        raise error

    assert caught.value is error


def test_some_memory_is_free_here():
    """This machine runs the tests."""
    assert available() > GB // 10


def a_machine(root: Path, files: dict[str, str]) -> Path:
    """Write what a kernel would tell."""
    for name, text in ({"proc/meminfo": "MemTotal: 20000 kB\nMemAvailable: 10000 kB\n"} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "kilobytes"),
    [
        ({}, 10000),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 10000),
        (
            {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": f"{5000 * 1024}\n",
                "sys/fs/cgroup/memory.current": f"{3000 * 1024}\n",
                "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {1000 * 1024}\n",
            },
            3000,
        ),
        (
            {
                "proc/self/cgroup": "0::/job/step\n",
                "sys/fs/cgroup/job/memory.max": f"{4000 * 1024}\n",
                "sys/fs/cgroup/job/memory.current": "0\n",
                "sys/fs/cgroup/job/step/memory.max": "max\n",
                "sys/fs/cgroup/job/step/memory.current": "0\n",
            },
            4000,
        ),
        (
            {
                "proc/self/cgroup": "5:devices:/\n4:memory:/job\n0::/\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{2000 * 1024}\n",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": f"{500 * 1024}\n",
                "sys/fs/cgroup/memory/job/memory.stat": "total_inactive_file 0\n",
            },
            1500,
        ),
    ],
    ids=["no control group", "no limit", "a container", "a batch system's job", "version 1"],
)
def test_a_limit_counts_like_the_machine_itself(tmp_path, files, kilobytes):
    """The smallest of what is left counts; what is cached in a group can be taken back."""
    assert memory_of_machine(a_machine(tmp_path, files)) == kilobytes * 1024


def test_a_system_that_tells_nothing_has_the_memory_it_has(tmp_path):
    """Not every system has /proc."""
    assert memory_of_machine(tmp_path) > GB


@pytest.mark.parametrize(
    ("count", "said"),
    [(41 * GB, "41 GB"), (3_100_000_000, "3.1 GB"), (190_000_000, "190 MB")],
)
def test_bytes_are_said_as_people_do(count, said):
    """Two digits are enough."""
    assert spoken_bytes(count) == said
