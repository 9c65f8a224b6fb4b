"""TensorBoard and MLflow show what the history holds, in one run, and nothing leaves the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cutis.train.trackers import TRACKERS, tracked
from cutis.vocabulary.errors import UserError

CONFIG = {"network": "efficientnet_b0", "epochs": 3, "auxiliary_weights": (0.1, 0.2), "weights": "none"}

# A program for which every connection is an error.
WITHOUT_NETWORK = """
import socket, sys
from pathlib import Path

def refuse(*_):
    raise AssertionError("something wants to leave this machine")

socket.socket.connect = socket.getaddrinfo = refuse
from cutis.train.trackers import tracked

with tracked(sys.argv[1], Path(sys.argv[2]), "run", {"epochs": 1}) as tell:
    tell({"epoch": 1, "loss": 0.5})
if sys.argv[1] == "mlflow":
    from mlflow.telemetry import get_telemetry_client
    assert get_telemetry_client() is None
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """MLflow's tables with another training in them; to make them takes seconds."""
    folder = tmp_path_factory.mktemp("database")
    with tracked("mlflow", folder, "another", CONFIG):
        return folder / "mlflow.db"


@pytest.fixture
def folder(database, tmp_path) -> Path:
    """A folder as other trainings have left it."""
    (tmp_path / "with a blank").mkdir()
    shutil.copy(database, tmp_path / "with a blank")
    return tmp_path / "with a blank"


def a_record(epoch: int, **fields: object) -> dict[str, object]:
    """What the course tells of an epoch."""
    plain = {
        "epoch": epoch,
        "loss": 1.0 / epoch,
        "tune_macro_auc": 0.5,
        "tune_macro_auc_auxiliary": [0.25, 0.75],
        "seconds": 3,
        "best": True,
        "note": "a word",
    }
    return plain | fields


def events_of(folder: Path) -> Any:
    """Read back what TensorBoard would read."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder / "run")).Reload()


def client_of(folder: Path) -> Any:
    """Open what MLflow would open; only after cutis has imported it, and has told it to be quiet."""
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


def runs_of(folder: Path) -> list[Any]:
    """Read back every run of this training, the oldest first."""
    experiment = client_of(folder).get_experiment_by_name("cutis").experiment_id
    runs = client_of(folder).search_runs([experiment], order_by=["attributes.start_time"])
    return [run for run in runs if run.info.run_name == "run"]


def shown_by_tensorboard(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return every curve as steps and values."""
    events = events_of(folder)
    return {key: [(each.step, each.value) for each in events.Scalars(key)] for key in events.Tags()["scalars"]}


def shown_by_mlflow(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return every curve of the newest run as steps and values."""
    client, run = client_of(folder), runs_of(folder)[-1]
    histories = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    return {key: [(each.step, each.value) for each in history] for key, history in histories.items()}


SHOWN = {"tensorboard": shown_by_tensorboard, "mlflow": shown_by_mlflow}


@pytest.mark.parametrize("kind", TRACKERS)
def test_every_number_of_every_epoch_is_shown(kind, folder):
    """Those of the auxiliary classifiers one by one; words and booleans are no curves."""
    with tracked(kind, folder, "run", CONFIG) as tell:
        tell(a_record(1))
        tell(a_record(2))

    shown = SHOWN[kind](folder)
    assert shown["loss"] == [(1, 1.0), (2, 0.5)]
    assert shown["tune_macro_auc_auxiliary/2"] == [(1, 0.75), (2, 0.75)]
    assert shown.keys() == {
        "loss",
        "tune_macro_auc",
        "tune_macro_auc_auxiliary/1",
        "tune_macro_auc_auxiliary/2",
        "seconds",
    }


@pytest.mark.parametrize("kind", TRACKERS)
def test_a_training_that_goes_on_goes_on_in_the_same_run(kind, folder):
    """The epoch that was told and not yet saved is told again, and stands there once."""
    stopped = tracked(kind, folder, "run", CONFIG)
    tell = stopped.__enter__()  # what follows ends as Ctrl-C ends it
    tell(a_record(1))
    tell(a_record(2))
    stopped.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    with tracked(kind, folder, "run", CONFIG) as tell:
        tell(a_record(2))
        tell(a_record(3))

    assert [step for step, _ in SHOWN[kind](folder)["loss"]] == [1, 2, 3]


@pytest.mark.parametrize("kind", TRACKERS)
def test_an_epoch_that_is_not_a_number_is_no_error(kind, folder):
    """A macro AUC may be undefined."""
    with tracked(kind, folder, "run", CONFIG) as tell:
        tell(a_record(1, tune_macro_auc=float("nan"), tune_accuracy=None))

    ((step, value),) = SHOWN[kind](folder)["tune_macro_auc"]
    assert (step, value != value) == (1, True)  # noqa: PLR0124  only what is not a number differs from itself


def test_the_recipe_is_shown_with_the_curves(folder):
    """In TensorBoard as text, in MLflow as parameters."""
    for kind in TRACKERS:
        with tracked(kind, folder, "run", CONFIG) as tell:
            tell(a_record(1))

    events = events_of(folder)
    (text,) = events.Tensors("recipe/text_summary")
    assert b"network = 'efficientnet_b0'" in text.tensor_proto.string_val[0]
    assert runs_of(folder)[0].data.params["network"] == "efficientnet_b0"


def test_a_training_that_begins_anew_shows_itself_alone(folder):
    """TensorBoard has one place for each name; what an earlier training left there is hidden."""
    for epochs in (3, 2):
        with tracked("tensorboard", folder, "run", CONFIG | {"epochs": epochs}) as tell:
            for epoch in range(1, epochs + 1):
                tell(a_record(epoch))

    assert [step for step, _ in shown_by_tensorboard(folder)["loss"]] == [1, 2]


def test_mlflow_says_how_a_run_ended(folder):
    """One that was stopped is not finished; one that goes on is, in the end."""
    with pytest.raises(KeyboardInterrupt), tracked("mlflow", folder, "run", CONFIG):
        raise KeyboardInterrupt
    stopped = [run.info.status for run in runs_of(folder)]

    with tracked("mlflow", folder, "run", CONFIG):
        running = [run.info.status for run in runs_of(folder)]

    assert (stopped, running) == (["KILLED"], ["RUNNING"])
    assert [run.info.status for run in runs_of(folder)] == ["FINISHED"]


@pytest.mark.parametrize("config", [CONFIG, CONFIG | {"epochs": 4}], ids=["finished", "another recipe"])
def test_mlflow_begins_a_run_where_nothing_goes_on(config, folder):
    """A finished training and another recipe each have their own."""
    for each in (CONFIG, config):
        with tracked("mlflow", folder, "run", each) as tell:
            tell(a_record(1))

    assert len(runs_of(folder)) == 2
    assert shown_by_mlflow(folder)["loss"] == [(1, 1.0)]


@pytest.mark.parametrize("kind", TRACKERS)
def test_nothing_leaves_the_machine_and_nothing_is_said(kind, tmp_path):
    """In a process of its own, not known to be a test: no connection, no telemetry, no file elsewhere, no line."""
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "OMP_NUM_THREADS"}}
    words = [sys.executable, "-c", WITHOUT_NETWORK, kind, str(tmp_path / "there")]

    ended = subprocess.run(
        words, env=kept | {"HOME": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_environment_is_left_as_it_was(folder, monkeypatch):
    """What keeps MLflow quiet is no setting of the whole process."""
    monkeypatch.setenv("DO_NOT_TRACK", "perhaps")
    before = dict(os.environ)

    with tracked("mlflow", folder, "run", CONFIG):
        pass

    assert dict(os.environ) == before


def test_without_a_tracker_nothing_happens(tmp_path):
    """The course tells its epochs all the same."""
    with tracked(None, tmp_path, "run", CONFIG) as tell:
        tell(a_record(1))

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_tracker_names_the_known_ones(tmp_path):
    """As every word that is looked up."""
    with pytest.raises(UserError, match="tensorboard, mlflow"), tracked("comet", tmp_path, "run", CONFIG):
        pass


@pytest.mark.parametrize(
    ("kind", "library"), [("tensorboard", "tensorboard"), ("mlflow", "mlflow"), ("mlflow", "sqlalchemy")]
)
def test_a_missing_library_says_how_to_install_it(kind, library, tmp_path, monkeypatch):
    """Nobody needs them who does not track."""
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(UserError) as caught, tracked(kind, tmp_path, "run", CONFIG):
        pass

    assert caught.value.what == f"{library} is not installed"
    assert caught.value.mend == "pip install 'cutis[tracking]'"
