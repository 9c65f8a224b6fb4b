"""The floors of the house: imports only run downstairs. docs/decisions/0001 says why."""

import subprocess
import sys
from pathlib import Path

import pytest

from architecture import violations

SOURCE = Path(__file__).resolve().parents[1] / "src" / "cutis"


def planted(folder: Path, **modules: str) -> list[str]:
    """Return what is found in a small house of these modules; `__` in a name stands for a folder."""
    root = folder / "cutis"
    for name, text in modules.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return violations(root)


def test_the_house_keeps_its_rules():
    """No room imports upward or sideways, and heavy libraries stay where they belong."""
    assert violations(SOURCE) == []


def test_a_sound_house_passes(tmp_path):
    """What the rules allow is let through."""
    found = planted(
        tmp_path,
        vocabulary__case="from cutis import __version__\nimport numpy",
        imaging__decode="from cutis.vocabulary.case import Case\nfrom cutis.vocabulary import case",
        runtime__engines="def open():\n    import torch\n    from cutis.network import classifier",
        network__classifier="import torch",
        train__loop="import torch\nfrom cutis.network.classifier import Classifier\nfrom cutis.train import loss",
        train__loss="import torch.nn",
        cli="def train():\n    from cutis.train import loop",
    )

    assert found == []


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("vocabulary__case", "from cutis.imaging import decode", "does not lie below"),
        ("imaging__decode", "def late():\n    from cutis.runtime.bundle import Bundle", "does not lie below"),
        ("imaging__decode", "import cutis.workspace", "does not lie below"),
        ("stats__metrics", "from cutis.imaging.decode import decode", "does not lie below"),
        ("train__stage", "from cutis.curate.split import split", "does not lie below"),
        ("curate__stage", "def late():\n    import cutis.report.stage", "does not lie below"),
        ("runtime__bundle", "import cutis.cli", "does not lie below"),
        ("progress", "from cutis.vocabulary.errors import UserError", "does not lie below"),
        ("train__stage", "from ..curate import split", "does not lie below"),
        ("cellar__wine", "", "no floor"),
        ("runtime__engines", "import torch", "outside of a function"),
        ("runtime__engines", "from cutis.network import classifier", "outside of a function"),
    ],
)
def test_a_planted_upward_import_is_caught(tmp_path, name, text, reason):
    """Upward, sideways, hidden in a function, or by another spelling: each is found."""
    found = planted(tmp_path, **{name: text})

    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("curate__stage", "import torch"),
        ("evaluate__stage", "from torch import nn"),
        ("runtime__predict", "def late():\n    import torch"),
        ("imaging__quality", "from scipy import ndimage"),
        ("vocabulary__files", "def late():\n    import pandas as pd"),
        ("runtime__predict", "from sklearn.metrics import roc_auc_score"),
        ("stats__metrics", "import matplotlib.pyplot"),
        ("report__stage", "import fastapi"),
    ],
)
def test_a_library_out_of_place_is_caught(tmp_path, name, text):
    """PyTorch, figures, tables and the web each have their rooms."""
    assert "no business here" in planted(tmp_path, **{name: text})[0]


def test_an_import_circle_is_caught(tmp_path):
    """Two modules of one room that import each other make the room unreadable."""
    found = planted(
        tmp_path, stats__a="from cutis.stats.b import x", stats__b="def late():\n    from cutis.stats import a"
    )

    assert "circle" in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "import torch\ntorch.load('w.pt')",
        "import torch\ntorch.save({}, 'w.pt')",
        "import numpy as np\nnp.load('x.npy', allow_pickle=True)",
        "import pandas as pd\npd.read_pickle('x')",
    ],
)
def test_what_executes_the_files_it_reads_is_caught(tmp_path, text):
    """A weight file or a table from elsewhere must never run code."""
    assert "executes what it reads" in planted(tmp_path, train__stage=text)[0]


def test_no_heavy_library_is_loaded_on_the_way_to_an_answer():
    """What the rooms below an answer load at import, seen in a fresh process."""
    script = (
        "import pathlib, sys, importlib\n"
        f"root = pathlib.Path({str(SOURCE)!r})\n"
        "for room in ('vocabulary', 'imaging', 'runtime'):\n"
        "    for path in sorted((root / room).glob('*.py')):\n"
        "        importlib.import_module(f'cutis.{room}.{path.stem}')\n"
        "print(*{'torch', 'timm', 'scipy', 'sklearn', 'pandas', 'matplotlib'} & sys.modules.keys())\n"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == ""
