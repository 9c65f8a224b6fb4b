"""Reads the imports of a source tree by their syntax, and says where they break the rules of the house.

Nothing is imported for it, so it sees what stands inside functions and branches too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# A room may import itself and the floors below its own. Stages share a floor, so they never import one another.
FLOORS = {
    "vocabulary": 1,
    "doctor": 1,
    "progress": 1,
    "imaging": 2,
    "stats": 2,
    "network": 2,
    "workspace": 2,
    "client": 2,
    "terminal": 3,
    "runtime": 3,
    "web": 3,
    "curate": 4,
    "train": 4,
    "evaluate": 4,
    "explain": 4,
    "readers": 4,
    "release": 4,
    "serve": 4,
    "sweep": 4,
    "report": 4,
    "readers_cli": 5,
    "clinic_cli": 5,
    "cli": 6,
    "__main__": 7,
}
TRAINING = {"network", "train", "explain", "release"}
FIGURES = {"train", "evaluate", "explain", "readers", "report"}
NOT_ON_THE_WAY_TO_AN_ANSWER = {"curate", "stats", "train", "evaluate", "explain", "readers", "release", "report"}
WEB = {"web", "serve", "readers.booth"}
# Where a library may be named: a room, or one module of a room.
LIBRARIES = {
    "torch": TRAINING | {"runtime.engines"},
    "torchvision": TRAINING,
    "timm": TRAINING,
    "captum": {"explain"},
    "openTSNE": {"explain"},
    "tensorboard": {"train.trackers"},
    "mlflow": {"train.trackers"},
    "cryptography": {"runtime.signature", "release.sign", "serve.backup", "serve.vault", "serve.journal"},
    "matplotlib": FIGURES,
    "scipy": NOT_ON_THE_WAY_TO_AN_ANSWER,
    "sklearn": NOT_ON_THE_WAY_TO_AN_ANSWER,
    "pandas": NOT_ON_THE_WAY_TO_AN_ANSWER | {"sweep"},
    "fastapi": WEB,
    "starlette": WEB,
    "uvicorn": WEB,
    "sqlalchemy": WEB,
    "alembic": WEB,
    "reportlab": {"serve.pages"},
    "argon2": {"web"},
    "python_multipart": {"serve.api"},
    "prometheus_client": {"serve.api"},
    "structlog": {"web"},
    "pydantic_settings": {"web"},
}
# What may be imported there inside a function alone, because a clinic's installation does without it.
LATE = {("runtime", "torch"), ("runtime", "network")}
# These execute what they read.
UNSAFE_LIBRARIES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "torch.save", "torch.jit.load"}
UNSAFE_NAMES = {"read_pickle", "to_pickle", "allow_pickle"}


@dataclass(frozen=True)
class Import:
    """One module names another; both with dots, ours without the leading package."""

    by: str
    of: str
    line: int
    inside_function: bool


def violations(root: Path) -> list[str]:
    """Return every break of the rules under a package's folder, as one readable line each."""
    modules = {_name(path, root): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.py"))}
    imports = [each for name, tree in modules.items() for each in _imports(name, tree, modules.keys(), root.name)]
    found = [*_without_floor(modules), *_upward(imports, root.name), *_misplaced_libraries(imports)]
    found += [line for name, tree in modules.items() for line in _unsafe(name, tree)]
    return found + _circles(imports, root.name)


def _name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def _imports(name: str, tree: ast.Module, modules, package: str) -> Iterator[Import]:
    late = {node for function in ast.walk(tree) if _is_function(function) for node in ast.walk(function)}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                targets = [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(module)):
                inner = module.removeprefix(package).lstrip(".")
                targets = [
                    f"{module}.{alias.name}" if f"{inner}.{alias.name}".lstrip(".") in modules else module
                    for alias in node.names
                ]
            case ast.ImportFrom():
                targets = [f"{package}.(relative import)"]
            case _:
                continue
        yield from (Import(name, target, node.lineno, node in late) for target in targets)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _room(module: str) -> str:
    return module.partition(".")[0]


def _without_floor(modules) -> list[str]:
    return [f"{name}: this room has no floor" for name in modules if name and _room(name) not in FLOORS]


def _upward(imports: list[Import], package: str) -> Iterator[str]:
    for each in imports:
        if not each.of.startswith(f"{package}."):
            continue
        by, of = _room(each.by), _room(each.of.removeprefix(f"{package}."))
        if of != by and FLOORS.get(of, 9) >= FLOORS.get(by, 0):
            yield f"{each.by}, line {each.line}: imports {each.of}, which does not lie below it"
        elif (by, of) in LATE and not each.inside_function:
            yield f"{each.by}, line {each.line}: imports {each.of} outside of a function"


def _misplaced_libraries(imports: list[Import]) -> Iterator[str]:
    for each in imports:
        library, room = _room(each.of), _room(each.by)
        if library in LIBRARIES and not LIBRARIES[library] & {room, ".".join(each.by.split(".")[:2])}:
            yield f"{each.by}, line {each.line}: {library} has no business here"
        elif (room, library) in LATE and not each.inside_function:
            yield f"{each.by}, line {each.line}: imports {library} outside of a function"


def _unsafe(name: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if {_room(alias.name) for alias in names} & UNSAFE_LIBRARIES:
                yield f"{name}, line {node.lineno}: imports what executes what it reads"
            case ast.ImportFrom(module=str(module)) if _room(module) in UNSAFE_LIBRARIES:
                yield f"{name}, line {node.lineno}: imports what executes what it reads"
            case ast.Attribute() if ast.unparse(node) in UNSAFE_CALLS or node.attr in UNSAFE_NAMES:
                yield f"{name}, line {node.lineno}: {ast.unparse(node)} executes what it reads"
            case ast.keyword(arg=str(word)) if word in UNSAFE_NAMES:
                yield f"{name}, line {node.value.lineno}: {word} executes what it reads"


def _circles(imports: list[Import], package: str) -> list[str]:
    graph: dict[str, set[str]] = {}
    for each in imports:
        if each.of.startswith(f"{package}."):
            graph.setdefault(each.by, set()).add(each.of.removeprefix(f"{package}."))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"these import each other in a circle: {' ← '.join(error.args[1])}"]
    return []
