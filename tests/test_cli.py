"""The command line as a shell sees it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cutis import __version__
from cutis.cli import main
from cutis.release.sign import new_keys, read_private_key
from cutis.runtime.trust import Signals, choose_acceptance, fit_reference
from cutis.stats.conformal import OWN, SetThresholds
from cutis.stats.nearness import Nearness, Step
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_json, read_table, sha256_of
from cutis.workspace import Workspace
from factories import (
    a_bundle_folder,
    a_case,
    a_dataset,
    a_picture,
    a_release_folder,
    a_running_release,
    a_tested_workspace,
    with_training_cases,
)

CUTIS = Path(sys.executable).with_name("cutis")
DATA = ("toy", "curate", "train", "evaluate", "explain", "report", "diagnose")
VERBS = (*DATA, "keys", "release", "verify", "serve", "doctor")


@pytest.fixture
def keys(tmp_path):
    """The keys of a clinic."""
    return new_keys(tmp_path / "keys")


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
    assert ("-w, --workspace" in shown) == (verb not in {"toy", "keys", "verify", "serve"})


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
        (["evaluate", "one", "--only-test"], "--only-test without --on", "the home dataset is its test only"),
        (["evaluate", "one", "two", "--on", "x"], "--on does not go with several bundles", "name one bundle"),
        (["evaluate", "one", "--on", "x", "--protocol", "p.toml"], "--on does not go with --protocol", "leave"),
        (["evaluate", "one", "--on", "x", "--robustness"], "--on does not go with --robustness", "leave"),
        (
            ["evaluate", "one", "two", "--on", "x", "--protocol", "p.toml", "--robustness"],
            "--on does not go with several bundles and --protocol and --robustness",
            "name one bundle",
        ),
        (["evaluate", "comparison"], "'comparison' cannot be the name of a bundle", "choose another name"),
        (["explain"], "there is no bundle yet", "run cutis train first"),
        (["explain", "--masks", "m"], "--masks without --sanity", "add --sanity, or leave --masks out"),
        (["explain", "--sanity", "--pictures", "p"], "--pictures without --masks", "add --masks, or leave --pictures"),
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


PROTOCOL = """
written_by = "Dr. A. Example"
written_on = 2026-03-01
network = "invented"
[primary]
measure = "argmax/accuracy"
reference = 0.1
hypothesis = "superiority"
"""


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A folder with a tested workspace, another clinic's, and a protocol."""
    folder = tmp_path_factory.mktemp("told")
    a_tested_workspace(folder / "work")
    a_dataset(Workspace(folder / "clinic-b"), patients=48, side=40)
    (folder / "asked.toml").write_text(PROTOCOL, encoding="utf-8")
    return folder


def test_an_evaluation_tells_the_hash_of_its_protocol_and_weighs_the_prevalences_that_are_given(
    tested, monkeypatch, capsys
):
    """As text for people; estimates.json says the same to programs."""
    monkeypatch.chdir(tested)

    words = ("--protocol", "asked.toml", "--prevalence", "0.02", "--prevalence", "0.3")
    assert in_process(monkeypatch, "evaluate", "invented", *words) == 0

    told = capsys.readouterr().out
    said = read_json(tested / "work/3_evaluation/invented/estimates.json", "estimates")
    sha256 = sha256_of(tested / "asked.toml")
    assert f"protocol {sha256[:12]}, " in told
    assert "primary endpoint argmax/accuracy against 0.1: " in told
    assert said["protocol"]["registration"]["protocol_sha256"] == sha256
    assert said["decisions"]["prevalences"] == [0.02, 0.3]
    assert set(said["decisions"]["net_benefit"]) == {"own", "0.02", "0.3"}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--prevalence", "2"], "2 is no prevalence"),
        (["--protocol", "lost.toml"], "there is no protocol file here"),
        (["--on", "nowhere"], "this is no dataset"),
        (["--on", "work"], "'invented' learned from this very dataset"),
    ],
    ids=str,
)
def test_what_an_evaluation_cannot_do_is_one_error(tested, monkeypatch, capsys, words, what):
    """Told in three lines; the test stays as often opened as it was."""
    monkeypatch.chdir(tested)
    ledger = tested / "work/private/test_openings.jsonl"
    before = ledger.read_text() if ledger.exists() else ""

    assert in_process(monkeypatch, "evaluate", "invented", "--again", *words) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[-3].startswith(f"error: {what}")
    assert (ledger.read_text() if ledger.exists() else "") == before


def test_a_bundle_is_evaluated_on_the_dataset_of_another_clinic(tested, monkeypatch, capsys):
    """All of its cases, or its test alone; the answer goes beside the home evaluation."""
    monkeypatch.chdir(tested)

    assert in_process(monkeypatch, "evaluate", "invented", "--on", "clinic-b") == 0
    everything = capsys.readouterr().out
    again = ("--on", "clinic-b/1_dataset", "--only-test", "--again", "--json")
    assert in_process(monkeypatch, "evaluate", *again) == 0
    tests = json.loads(capsys.readouterr().out)

    assert everything.startswith("clinic-b, all splits: 48 pictures of 48 patients, opened once so far")
    assert "work/3_evaluation/invented@clinic-b" in everything
    assert (tests["facts"]["on"], tests["facts"]["cases"], tests["facts"]["openings"]) == ("clinic-b", 6, 2)


@pytest.fixture
def watching(tmp_path):
    """A folder with a picture, and what writes a bundle that answers it or not."""
    a_picture().save(tmp_path / "lesion.png")

    def write(signal):
        """A bundle whose own pictures all had this distance, uncertainty and disagreement."""
        random = np.random.default_rng(0)
        reference = fit_reference(random.normal(size=(60, 1280)), np.arange(60) % 3, kinds=3)
        signals = Signals(*np.full((3, 90), signal))
        acceptance = choose_acceptance(signals, [f"patient{n}" for n in range(90)], cluster_kind="patient")
        sets = SetThresholds(method="LAC", level=0.975, values=(0.9,) * 3, basis=(OWN,) * 3, clusters=(30,) * 3)
        folder = tmp_path / "work/2_bundles/invented"
        a_bundle_folder(folder, reference=reference, acceptance=acceptance, sets=(sets,))

    return tmp_path, write


def test_a_picture_that_is_not_answered_says_so_first(watching, monkeypatch, capsys):
    """In capitals, with every reason, and without a set that would promise something."""
    folder, write = watching
    write(-1.0)  # whatever comes is more unusual
    monkeypatch.chdir(folder)

    assert in_process(monkeypatch, "diagnose", "lesion.png") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["lesion.png", "  NOT ANSWERED: what follows is no diagnosis"]
    reasons = [line for line in lines if line.startswith("  because ")]
    assert len(reasons) == 3
    assert any(
        "it is farther from what was learned than in all pictures of the 90 patients" in each for each in reasons
    )
    assert not any(line.startswith("  one of ") for line in lines)


def test_a_picture_that_is_answered_comes_with_its_set(watching, monkeypatch, capsys):
    """And with how often such a set holds the truth; programs are told the same."""
    folder, write = watching
    write(np.inf)  # nothing is more unusual
    monkeypatch.chdir(folder)

    assert in_process(monkeypatch, "diagnose", "lesion.png") == 0
    text = capsys.readouterr().out
    assert in_process(monkeypatch, "diagnose", "lesion.png", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)["diagnoses"]

    assert "NOT ANSWERED" not in text
    assert f"  one of {', '.join(said['prediction_set'])} in 97.5% of cases like this clinic's" in text.splitlines()
    assert (said["abstained"], said["reasons"], said["coverage"]) == (False, [], 0.975)
    assert said["prediction_set"][0] == said["findings"][0]["code"]


def test_a_folder_becomes_a_table_with_a_row_for_each_file(watching, monkeypatch, capsys):
    """What is no picture is a row too, and counted; a table that is there is not overwritten."""
    folder, write = watching
    write(np.inf)
    (folder / "pictures").mkdir()
    (folder / "lesion.png").rename(folder / "pictures" / "lesion.png")
    (folder / "pictures" / "notes.txt").write_text("no picture")
    monkeypatch.chdir(folder)

    assert in_process(monkeypatch, "diagnose", "pictures", "--to", "answers.parquet", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    again = in_process(monkeypatch, "diagnose", "pictures", "--to", "answers.parquet")

    assert (said["pictures"], said["answered"], said["unreadable"]) == (2, 1, 1)
    rows = read_table(folder / "answers.parquet", "answers")[0].to_pylist()
    assert [(row["image"], row["error"] is None) for row in rows] == [
        ("pictures/lesion.png", True),
        ("pictures/notes.txt", False),
    ]
    assert again == 1
    assert "there is a file already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("pictures",), "--to answers.parquet"),
        (("pictures", "--to", "nowhere/answers.parquet"), "there is no such folder"),
        (("nowhere", "--to", "answers.parquet"), "there is no such file or folder"),
        (("pictures", "--to", "answers.parquet"), "holds no file"),
        (("pictures", "--to", "answers.parquet", "--similar", "3"), "--similar does not go with --to"),
    ],
)
def test_what_no_table_can_be_made_of_is_refused(watching, monkeypatch, capsys, arguments, what):
    """By one error, and nothing is written."""
    folder, write = watching
    write(np.inf)
    (folder / "pictures").mkdir()
    monkeypatch.chdir(folder)

    assert in_process(monkeypatch, "diagnose", *arguments) == 1

    assert what in capsys.readouterr().err
    assert not list(folder.glob("*.parquet"))


@pytest.fixture
def comparing(tmp_path, monkeypatch):
    """A folder with a picture and a bundle that carries training cases, of which one is that very picture."""
    a_picture().save(tmp_path / "lesion.png")
    folder = a_bundle_folder(tmp_path / "work/2_bundles/invented")
    share = Estimate(value=0.62, low=0.5, high=0.73, method="invented", clusters=40, cluster_kind="patient")
    nearness = Nearness({}, (Step(-1.0, share, 100),))
    cases = [
        a_case(
            n, cluster_id=f"patient{n // 2}", diagnosis="abc"[n % 3], confirmed_by=("single", "histology", None)[n % 3]
        )
        for n in range(12)
    ]
    same = replace(cases[7], sha256=sha256_of(tmp_path / "lesion.png"))
    with_training_cases(folder, [*cases[:7], same, *cases[8:]], nearness=nearness)
    monkeypatch.chdir(tmp_path)
    return folder


def test_similar_cases_are_shown_where_they_are_asked_for(comparing, monkeypatch, capsys):
    """Each with its diagnosis, what settled it, how similar it is, and what that means; and who may be among them."""
    assert in_process(monkeypatch, "diagnose", "lesion.png", "--similar", "12") == 0
    lines = capsys.readouterr().out.splitlines()

    start = lines.index("  similar training cases:")
    assert sum(line.startswith("             case case") for line in lines) == 12
    assert any(line.endswith("settled by a single rater") for line in lines)
    assert any(line.endswith("settled by what is not known") for line in lines)
    assert "             of a cases so near to a picture, 62% (50% to 73%) had its diagnosis" in lines
    same = lines.index("             case case0007, settled by histology")
    assert lines[same + 1] == "             perhaps the same picture"
    assert lines[start + 1][:14].startswith("   1  ")
    assert any("nobody was named" in line for line in lines)


def test_a_patient_who_is_named_is_not_among_the_similar_cases(comparing, monkeypatch, capsys):
    """A program is told the same as a person, and of everything."""
    asked = ("diagnose", "lesion.png", "--similar", "5", "--patient", "patient3", "--json")

    assert in_process(monkeypatch, *asked) == 0
    answer = json.loads(capsys.readouterr().out)

    (said,) = answer["diagnoses"]
    assert answer["format"] == 3
    assert len(said["similar"]) == 5
    assert {"case0006", "case0007"} & {case["case_id"] for case in said["similar"]} == set()
    assert said["similar"][0].keys() >= {"code", "name", "malignant", "confirmed_by", "similarity", "shared"}
    assert said["similar"][0]["shared"]["value"] == 0.62
    assert any("2 training cases of patient3 left out" in warning for warning in said["warnings"])


def test_similar_cases_are_not_told_unasked(comparing, monkeypatch, capsys):
    """A row of a patient is shown to whoever wants it, and to nobody else."""
    assert in_process(monkeypatch, "diagnose", "lesion.png", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)["diagnoses"]

    assert said["similar"] is None


def test_a_bundle_without_training_cases_says_how_to_mend_it(comparing, monkeypatch, capsys):
    """They were taken out before the bundle left the house: one error, before any picture is answered."""
    (comparing / "neighbours.safetensors").unlink()

    assert in_process(monkeypatch, "diagnose", "lesion.png", "--similar", "5") == 1
    assert "carries no training cases" in capsys.readouterr().err


def test_a_patient_without_similar_cases_makes_no_sense(comparing, monkeypatch, capsys):
    """And is told so."""
    assert in_process(monkeypatch, "diagnose", "lesion.png", "--patient", "patient3") == 1
    assert "--patient without --similar" in capsys.readouterr().err


def test_a_release_is_checked_without_pytorch(tmp_path, keys):
    """What is right is told in words and as JSON, and who signed it."""
    a_release_folder(tmp_path / "release", key=read_private_key(keys.private))
    script = "import sys\nfrom cutis.cli import main\nsys.modules['torch'] = None\nsys.argv[0] = 'cutis'\nmain()\n"
    words = ["verify", "release", "--key", str(keys.public), "--json"]

    run = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["kind"], told["signature"], told["signed_by"]) == ("verification", "valid", keys.fingerprint)


def test_a_picture_is_answered_by_a_release_without_pytorch(tmp_path, keys):
    """By the engine that is asked for, after the seal was checked; no workspace is needed."""
    a_running_release(tmp_path / "release", key=read_private_key(keys.private))
    a_picture().save(tmp_path / "lesion.png")
    trust = ["--release", "release", "--key", str(keys.public), "--signed"]
    words = ["diagnose", "lesion.png", *trust, "--engine", "onnxruntime-fp32", "--json"]
    program = (
        f"import sys; from cutis.cli import app; app({words}, standalone_mode=False);"
        "heavy = {'torch', 'scipy', 'sklearn', 'pandas', 'pyarrow', 'matplotlib'} & sys.modules.keys();"
        "assert not heavy, heavy"
    )

    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["answers_by"] == "onnxruntime-fp32"
    assert said["diagnoses"][0]["findings"][0]["probability"] > 1 / 3


def test_many_pictures_are_answered_by_a_release_into_a_table(tmp_path, monkeypatch, capsys):
    """And a release that was changed answers none."""
    a_running_release(tmp_path / "release")
    a_picture().save(tmp_path / "lesion.png")
    monkeypatch.chdir(tmp_path)
    words = ["diagnose", "lesion.png", "--release", "release", "--engine", "openvino-fp32", "--to"]

    assert in_process(monkeypatch, *words, "answers.parquet") == 0
    assert "1 files by openvino-fp32: 1 answered" in capsys.readouterr().out

    (tmp_path / "release" / "release.json").write_text("{}")
    assert in_process(monkeypatch, *words, "others.parquet") == 3
    assert not (tmp_path / "others.parquet").exists()


def test_an_engine_is_asked_for_with_a_release_alone(tmp_path, monkeypatch, capsys):
    """A bundle is run by PyTorch."""
    monkeypatch.chdir(tmp_path)

    assert in_process(monkeypatch, "diagnose", "lesion.png", "--engine", "auto") == 1
    assert "--engine without --release" in capsys.readouterr().err


def test_every_engine_of_a_release_answers_its_self_test(tmp_path, monkeypatch, capsys):
    """One line for each; without being asked none is opened."""
    a_running_release(tmp_path / "release")

    assert in_process(monkeypatch, "verify", str(tmp_path / "release"), "--self-test") == 0
    told = capsys.readouterr().out
    assert "self-test of onnxruntime-fp32: off by 0, of 0.0001" in told
    assert "self-test of openvino-fp32: off by" in told

    assert in_process(monkeypatch, "verify", str(tmp_path / "release")) == 0
    assert "self-test" not in capsys.readouterr().out


def test_a_release_that_is_not_what_was_signed_leaves_with_3(tmp_path, monkeypatch, capsys, keys):
    """Changed, by another key, without a signature, swapped, or not to be checked: refused for safety, by name."""
    key = read_private_key(keys.private)
    whole, unsigned = (a_release_folder(tmp_path / name, key=by) for name, by in (("whole", key), ("unsigned", None)))
    other = new_keys(tmp_path / "other").public
    swapped, changed = (shutil.copytree(whole, tmp_path / name) for name in ("swapped", "changed"))
    for name in ("manifest.json", "manifest.sha256"):
        shutil.copyfile(unsigned / name, swapped / name)
    (changed / "network.onnx").write_bytes(b"another network")
    by_key = ("--key", str(keys.public))

    def left_with(folder, *words):
        return in_process(monkeypatch, "verify", str(folder), *words), capsys.readouterr().err

    assert left_with(whole, *by_key)[0] == left_with(unsigned)[0] == 0
    for given, name in (
        ((changed,), "network.onnx"),
        ((whole, "--key", str(other)), "manifest.sig"),
        ((whole, "--signed"), "manifest.sig"),
        ((unsigned, *by_key), "manifest.sig"),
        ((unsigned, "--signed"), "manifest.sig"),
        ((swapped, *by_key), "manifest.json"),
    ):
        code, error = left_with(*given)
        assert (code, name in error) == (3, True), (given, error)
    assert left_with(tmp_path / "nowhere")[0] == left_with(whole, "--key", str(tmp_path / "no.pem"))[0] == 1


def test_a_machine_can_be_told_once_whom_it_trusts(tmp_path, monkeypatch, keys):
    """What that key did not sign is then refused without a word on the command line."""
    a_release_folder(tmp_path / "release")
    monkeypatch.setenv("CUTIS_PUBLIC_KEY", str(keys.public))

    assert in_process(monkeypatch, "verify", str(tmp_path / "release")) == 3


def test_keys_are_made_once(tmp_path, monkeypatch, capsys):
    """The fingerprint is told; a second time nothing is written over."""
    monkeypatch.setenv("CUTIS_KEY_PASSPHRASE", "of the clinic")

    assert in_process(monkeypatch, "keys", str(tmp_path / "new"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["locked"]
    assert b"ENCRYPTED" in (tmp_path / "new" / "release-private.pem").read_bytes()
    assert in_process(monkeypatch, "keys", str(tmp_path / "new")) == 1


def test_consent_to_nothing_is_refused(tmp_path, monkeypatch):
    """The licence matters where something leaves the house."""
    words = ["release", "x", "--consent-to-licence", "-w", str(tmp_path / "work")]

    assert in_process(monkeypatch, *words) == 1
