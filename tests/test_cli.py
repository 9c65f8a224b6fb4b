"""The command line as a shell sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cutis import __version__
from cutis.cli import main

CUTIS = Path(sys.executable).with_name("cutis")
VERBS = ("toy", "curate", "train", "evaluate", "explain", "report", "diagnose", "doctor")


def cutis(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder."""
    return subprocess.run([CUTIS, *words], cwd=folder, capture_output=True, text=True, check=False)


def in_process(monkeypatch, *words: str) -> int:
    """Run the same in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["cutis", *words])
    with pytest.raises(SystemExit) as leaving:
        main()
    return leaving.value.code or 0


def test_help_loads_nothing_heavy():
    """Neither PyTorch nor the libraries of tables and statistics, nor numpy, stand between a user and the help."""
    script = (
        "import sys\nfrom cutis.cli import main\nsys.argv = ['cutis', '--help']\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'torch', 'scipy', 'pandas', 'sklearn', 'matplotlib', 'pyarrow', 'PIL', 'numpy', 'timm'}\n"
        "    print('loaded:', *sorted(heavy & sys.modules.keys()))\n"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert run.stdout.splitlines()[-1].strip() == "loaded:"


def test_help_names_every_verb_with_a_whole_sentence(tmp_path):
    """One screen, nothing cut off."""
    run = cutis("--help", folder=tmp_path)

    assert run.returncode == 0
    assert all(f"\n  {verb} " in run.stdout for verb in VERBS)
    assert "..." not in run.stdout.partition("Commands:")[2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_same_options(monkeypatch, capsys, verb):
    """--json and -v everywhere; the workspace wherever there is one."""
    assert in_process(monkeypatch, verb, "--help") == 0

    shown = capsys.readouterr().out
    assert "--json" in shown
    assert "-v, --verbose" in shown
    assert ("-w, --workspace" in shown) == (verb != "toy")


def test_the_version_is_told(monkeypatch, capsys):
    """As `cutis` itself says it."""
    assert in_process(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"cutis {__version__}\n"


@pytest.mark.parametrize("words", [["dance"], ["train", "--fast"], ["diagnose"], ["diagnose", "x.png", "--top", "0"]])
def test_wrong_usage_leaves_with_2(monkeypatch, words):
    """A verb, option or value that does not exist."""
    assert in_process(monkeypatch, *words) == 2


def test_a_missing_bundle_is_told_in_three_lines(tmp_path):
    """What is wrong, where, and how to mend it; on standard error, without a traceback, and nothing is written."""
    run = cutis("diagnose", "picture.jpg", folder=tmp_path)

    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.splitlines() == [
        "error: there is no bundle yet",
        "  where: work/2_bundles",
        "  mend:  run cutis train first",
    ]
    assert list(tmp_path.iterdir()) == []


def test_with_json_an_error_is_one_object_on_standard_output(tmp_path):
    """A program that reads the answer can read the failure too."""
    run = cutis("diagnose", "picture.jpg", "--json", folder=tmp_path)

    assert run.returncode == 1
    assert json.loads(run.stdout) == {
        "kind": "error",
        "format": 1,
        "what": "there is no bundle yet",
        "where": "work/2_bundles",
        "mend": "run cutis train first",
        "exit_code": 1,
    }
    assert run.stderr.startswith("error: there is no bundle yet")


@pytest.mark.parametrize(
    ("words", "what", "mend"),
    [
        (["curate", "nowhere"], "there is no such folder", "give the folder that holds the pictures"),
        (["curate", "empty"], "this folder is empty", "give the folder that holds the pictures"),
        (["train"], "there is no dataset here", "run cutis curate CLINIC_DIR first"),
        (["train", "-c", "grand"], "unknown recipe 'grand'", "use one of: "),
        (["train", "--set", "epoch=3"], "unknown key 'epoch'", "epochs"),
        (["evaluate"], "there is no bundle yet", "run cutis train first"),
        (["evaluate", "one", "one"], "a comparison needs different bundles", "name each bundle once"),
        (["evaluate", "comparison"], "'comparison' cannot be the name of a bundle", "choose another name"),
        (["explain"], "there is no bundle yet", "run cutis train first"),
    ],
    ids=str,
)
def test_bad_input_is_a_user_error_and_nothing_is_written(tmp_path, monkeypatch, capsys, words, what, mend):
    """Each says what is wrong and how to mend it, leaves with 1, and leaves no result, whole or half."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    assert in_process(monkeypatch, *words) == 1

    told = capsys.readouterr().err
    assert told.startswith(f"error: {what}")
    assert mend in told.splitlines()[-1]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_name_that_leaves_the_workspace_is_refused_for_safety(tmp_path):
    """Exit 3: a bundle's name is a name and never a path."""
    run = cutis("diagnose", "picture.jpg", "--name", "../../etc", folder=tmp_path)

    assert run.returncode == 3
    assert "cannot be the name of a folder" in run.stderr


def test_the_doctor_answers_as_text_and_as_json(tmp_path, monkeypatch, capsys):
    """A line per thing that was looked at, and the same for programs; this machine is ready, since tests run on it."""
    monkeypatch.chdir(tmp_path)

    assert in_process(monkeypatch, "doctor", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    monkeypatch.setattr("cutis.doctor.ASK_TORCH", "raise ImportError('no libtorch')")
    assert in_process(monkeypatch, "doctor") == 1
    text = capsys.readouterr().out

    assert {"Python", "memory", "numpy", "workspace", "accelerator"} <= {check["name"] for check in checks}
    assert f"ok    {'Python':<18} " in text
    assert f"fail  {'PyTorch':<18} cannot be imported: ImportError: no libtorch" in text
    assert "        mend: pip install" in text
