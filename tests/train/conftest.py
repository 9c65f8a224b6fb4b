"""What trainings in tests stand on."""

from __future__ import annotations

import pytest
import torch

from cutis.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    """An empty workspace."""
    return Workspace(tmp_path / "work")


@pytest.fixture(autouse=True)
def _one_thread():
    """Compute on one thread, as the processes that are struck do: sums depend on their order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
