"""Under CUTIS_REQUIRE_ALL=1 nothing is skipped in silence."""

import os
import subprocess
import sys
from pathlib import Path

OURS = Path(__file__).with_name("conftest.py")


def run_pytest(folder: Path, test: str, *, require_all: bool, workers: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one test file under our conftest, in a process and folder of its own."""
    (folder / "conftest.py").write_text(OURS.read_text())
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers), str(folder)]
    environment = os.environ | {"CUTIS_REQUIRE_ALL": "1" if require_all else "0"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_skipped_test_fails_where_everything_is_required(tmp_path):
    """A test that cannot run is told by its reason, and the run fails; elsewhere it is skipped."""
    test = "import pytest\ndef test_it(): pytest.skip('no browser here')\n"

    required = run_pytest(tmp_path, test, require_all=True, workers=1)
    elsewhere = run_pytest(tmp_path, test, require_all=False)

    assert required.returncode == 1
    assert "no browser here" in required.stdout
    assert elsewhere.returncode == 0


def test_a_skip_by_mark_or_by_import_fails_too(tmp_path):
    """Neither a decorator nor a whole file gets past the rule."""
    by_mark = "import pytest\n@pytest.mark.skipif(True, reason='not today')\ndef test_it(): pass\n"
    by_import = "import pytest\npytest.importorskip('no_such_library')\ndef test_it(): pass\n"

    marked = run_pytest(tmp_path, by_mark, require_all=True)
    imported = run_pytest(tmp_path, by_import, require_all=True)

    assert marked.returncode == 1
    assert "not today" in marked.stdout
    assert imported.returncode != 0
    assert "no_such_library" in imported.stdout


def test_what_is_expected_to_fail_and_what_passes_stay_as_they_are(tmp_path):
    """An expected failure is no skip."""
    test = "import pytest\n@pytest.mark.xfail\ndef test_bad(): assert False\ndef test_good(): pass\n"

    run = run_pytest(tmp_path, test, require_all=True)

    assert run.returncode == 0
    assert "1 passed, 1 xfailed" in run.stdout
