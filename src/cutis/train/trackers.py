"""The history of a training in the tools that people already look at; what training needs is written elsewhere.

Nothing leaves the machine: both write into a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import UserError

Record = dict[str, Any]  # an epoch: its number, and what was measured
Tracker = Callable[[Record], None]  # is told each epoch once it is over

RUN_KEY = "cutis.run"
DATABASE = "mlflow.db"
# MLflow reports its use to its makers, and speaks at length, unless told otherwise before it is imported.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}


@contextmanager
def tracked(kind: str | None, folder: Path, name: str, config: Record) -> Iterator[Tracker]:
    """Lend a function that is told each epoch's record and shows it in TensorBoard or MLflow.

    A training that goes on, under the same name and recipe, goes on in the same run; no epoch stands there twice.

    Args:
        kind: a key of `TRACKERS`; None lends a function that does nothing.
        folder: where the tool's files lie, of several trainings together.
        name: of the run.
        config: the resolved recipe, shown with the run.

    Raises:
        UserError: an unknown kind, or its library is not installed.
    """
    if kind is None:
        yield lambda _record: None
        return
    if kind not in TRACKERS:
        raise UserError(f"unknown tracker {kind!r}", where="--track", mend=f"use one of: {', '.join(TRACKERS)}")
    with TRACKERS[kind](folder, name, config) as tracker:
        yield tracker


@contextmanager
def _tensorboard(folder: Path, name: str, config: Record) -> Iterator[Tracker]:
    """Look at it with ``tensorboard --logdir FOLDER``."""
    _require("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = None

    def tell(record: Record) -> None:
        nonlocal writer
        if writer is None:  # only now it is known which epochs an earlier process may have told already
            writer = SummaryWriter(str(folder / name), purge_step=record["epoch"])
            text = "".join(f"    {key} = {value!r}\n" for key, value in config.items())  # a block of code in Markdown
            writer.add_text("recipe", text, global_step=record["epoch"])
        for key, value in _numbers(record).items():
            writer.add_scalar(key, value, global_step=record["epoch"])
        writer.flush()

    try:
        yield tell
    finally:
        if writer is not None:
            writer.close()


@contextmanager
def _mlflow(folder: Path, name: str, config: Record) -> Iterator[Tracker]:
    """Look at it with ``mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db``; the server is no part of cutis.

    MLflow no longer maintains its store of plain files, and refuses it; its database is one file as well.
    """
    with _environment(QUIET):
        _require("mlflow", "sqlalchemy", "alembic")  # without its database's parts MLflow speaks in riddles
        from mlflow.tracking import MlflowClient

        folder.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=f"sqlite:///{folder.resolve() / DATABASE}")
        run, told = _run_of(client, folder, name, config)

        def tell(record: Record) -> None:
            if record["epoch"] in told:
                return
            told.add(record["epoch"])
            _log(client, run, metrics=_numbers(record), step=record["epoch"])

        try:
            yield tell
        except BaseException:
            client.set_terminated(run, "KILLED")
            raise
        client.set_terminated(run, "FINISHED")


def _run_of(client: Any, folder: Path, name: str, config: Record) -> tuple[str, set[int]]:
    """Return the unfinished run of this name and recipe and the epochs that it was told, or a new run."""
    known = client.get_experiment_by_name("cutis")
    artifacts = (folder.resolve() / "artifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment("cutis", artifact_location=artifacts)
    key = hashlib.sha256(json.dumps([name, config], sort_keys=True, default=str).encode()).hexdigest()
    for found in client.search_runs([experiment], filter_string=f"tags.`{RUN_KEY}` = '{key}'"):
        if found.info.status != "FINISHED":
            client.update_run(found.info.run_id, status="RUNNING")
            told = {each.step for metric in found.data.metrics for each in _history(client, found, metric)}
            return found.info.run_id, told
    run = client.create_run(experiment, run_name=name, tags={RUN_KEY: key}).info.run_id
    _log(client, run, params=config)
    return run, set()


def _history(client: Any, run: Any, metric: str) -> Any:
    return client.get_metric_history(run.info.run_id, metric)


def _log(client: Any, run: str, *, params: Record | None = None, metrics: Record | None = None, step: int = 0) -> None:
    """Write all of it or nothing."""
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    measured = [Metric(key, value, now, step) for key, value in (metrics or {}).items()]
    set_to = [Param(key, str(value)) for key, value in (params or {}).items()]
    client.log_batch(run, metrics=measured, params=set_to)


TRACKERS: dict[str, Callable[[Path, str, Record], AbstractContextManager[Tracker]]] = {
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
}


def _numbers(record: Record) -> dict[str, float]:
    """Return every number of a record under its key; those of a list under key/1, key/2 and so on."""
    lists = {f"{key}/{place}": each for key, value in record.items() for place, each in _places(value)}
    numbers = record | lists
    return {key: float(each) for key, each in numbers.items() if _is_number(each) and key != "epoch"}


def _places(value: Any) -> Iterator[tuple[int, Any]]:
    if isinstance(value, list | tuple):
        yield from enumerate(value, start=1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(*libraries: str) -> None:
    for library in libraries:
        try:
            import_module(library)
        except ModuleNotFoundError as error:
            mend = "pip install 'cutis[tracking]'"
            raise UserError(f"{error.name} is not installed", where=sys.executable, mend=mend) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set these for as long as the block runs."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
