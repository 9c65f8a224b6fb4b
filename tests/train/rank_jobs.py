"""What the processes of the tests of ranks and launch do; they must be able to import it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

import numpy as np

from cutis.train.launch import launch
from cutis.vocabulary.errors import Stopped, UserError

A_MOMENT = timedelta(seconds=2)


def rank():
    """Return which process this is, without torch."""
    return int(os.environ["RANK"])


def tell(note, *, suffix=""):
    """Return what was given, from whom, and the variables that came with it."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "OMP_NUM_THREADS")
    return f"{note}{suffix}", {name: os.environ[name] for name in names}, "torch" in sys.modules


def talk(folder: Path):
    """Use everything that ranks can do, and leave on the disk what each of them heard."""
    from cutis.train.ranks import joined

    with joined() as ranks:
        ranks.wait()
        mine = np.full((2 * ranks.rank, 3), ranks.rank, dtype=np.float32)  # the first one has none
        places = np.arange(1 + ranks.rank, dtype=np.int64)
        heard = {
            "total": ranks.total((1.0, 0.1 * ranks.rank)),
            "gathered": [each.tolist() for each in ranks.gather(mine)],
            "shapes": [each.shape for each in ranks.gather(mine)],
            "places": [each.tolist() for each in ranks.gather(places)],
            "leads": ranks.leads,
        }
        (folder / str(ranks.rank)).write_text(repr(heard))
        ranks.wait()


def learn(parts: list[list[list[float]]]):
    """Take one step on this rank's part, in two halves; return what each rank has then.

    These are the gradient, and the running mean: after the step, when aligned, and after the next step began.
    """
    import torch
    from torch import nn

    from cutis.train.ranks import joined

    warnings.simplefilter("error")
    with joined() as ranks:
        torch.manual_seed(ranks.rank)  # so that the weights differ until they are shared
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        shared = ranks.share(network)
        first, second = torch.tensor(parts[ranks.rank]).chunk(2)
        with ranks.without_sharing(shared):
            torch.autograd.backward(shared(first).square().sum())
        torch.autograd.backward(shared(second).square().sum())
        flat = torch.cat([each.grad.ravel() for each in network.parameters()]).numpy()
        drifted = ranks.gather(network[1].running_mean.numpy())
        ranks.align(network)
        aligned = ranks.gather(network[1].running_mean.numpy())
        network[1].running_mean.fill_(ranks.rank)
        shared.eval()(first)
        broadcast = ranks.gather(network[1].running_mean.numpy())
        return [each.tolist() for each in ranks.gather(flat)], drifted, aligned, broadcast


def end_oddly(how: str, *, patience_s: float = 60.0):
    """Have the second process end in some way while the first waits for it in a step."""
    from cutis.train.ranks import joined

    with joined(patience_s=patience_s) as ranks:
        ranks.total((1.0,))
        if ranks.rank == 1:
            _end(how)
        ranks.total((1.0,))


def _end(how: str):
    match how:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hanging":
            time.sleep(600)
        case "mendable":
            raise UserError("the disk is full", where="rank 1", mend="delete something")
        case "ours":
            raise ZeroDivisionError("one of our bugs")


def end_at_once(how: str):
    """Have the second process end in some way while the first sleeps; no torch, so it is quick."""
    if rank() == 1:
        _end(how)
    time.sleep(600)


def stop_one_after_another(folder: Path):
    """Stop the second process at once, and the first after it has saved."""
    if rank() == 0:
        time.sleep(4)
        (folder / "saved").touch()
    raise Stopped("training was asked to stop", where=f"rank {rank()}", mend="go on")


def wait_for_ever(folder: Path):
    """Write down who this is and who helps, and sleep until a signal comes."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as helper:
        aside = folder / f".{rank()}"
        aside.write_text(f"{os.getpid()} {helper.pid}")
        aside.rename(folder / f"{rank()}.pids")
        try:
            helper.wait()
        finally:
            (folder / f"{rank()}.left").touch()
            helper.kill()


if __name__ == "__main__":
    launch(2, wait_for_ever, Path(sys.argv[1]))
