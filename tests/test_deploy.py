"""The examples in deploy/ can be read by what they are for, and say what the code says."""

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest
import typer

from cutis.cli import app
from cutis.serve.opening import PLACEHOLDER, read_clinic_settings
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import SafetyRefusal
from documents import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
NAME = "cutis.example.org"
PORT = ClinicSettings.model_fields["port"].default


def text(name):
    """Return an example."""
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """What the example of settings says once its placeholder is filled in."""
    monkeypatch.delenv("CUTIS_FOLDER", raising=False)
    filled = tmp_path / "clinic.toml"
    filled.write_text(text("clinic.toml").replace(PLACEHOLDER, "four random words here"))
    return read_clinic_settings(filled)


def test_the_example_of_settings_is_refused_as_it_stands():
    """Nobody runs on a password that stands in a public file."""
    with pytest.raises(SafetyRefusal, match="placeholder"):
        read_clinic_settings(DEPLOY / "clinic.toml")


def test_the_example_of_settings_is_understood(settings):
    """Every name in it is one of the server's; filled in, it describes a server behind a proxy."""
    assert settings.is_public
    assert settings.is_encrypted
    assert settings.signed
    assert not settings.demonstration
    assert settings.proxies == ("127.0.0.1",)
    assert settings.known_hosts >= {NAME}


def test_what_is_commented_out_in_it_is_the_default():
    """So that nobody learns a wrong one from it."""
    commented = re.findall(r"^# (\w+) = (.+?)(?:  +#.*)?$", text("clinic.toml"), re.MULTILINE)
    told = {name: tomllib.loads(f"value = {value}")["value"] for name, value in commented}
    without_default = {"master_key", "retention_days", "signs"}

    assert told.keys() <= ClinicSettings.model_fields.keys()
    for name, value in told.items():
        if name not in without_default:
            default = ClinicSettings.model_fields[name].default
            assert (list(default) if isinstance(default, tuple) else default) == value, name


def test_the_unit_starts_and_reloads_what_exists():
    """Its command can be typed; it stops by the signal that finishes what is in hand."""
    unit = _unit()
    command = shlex.split(unit["ExecStart"])

    assert command[:2] == ["/opt/cutis/bin/cutis", "serve"]
    typer.main.get_command(app).commands["serve"].make_context("serve", command[2:])
    assert unit["ExecReload"].split()[1] == "-HUP"
    assert unit["KillMode"] == "mixed"
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == ("on-failure", "3")
    assert int(unit["TimeoutStopSec"]) > 10  # what uvicorn gives to requests in hand


def test_the_unit_leaves_only_what_the_server_needs():
    """What it may write to, whom it may call, and what it cannot become."""
    unit = _unit()

    assert unit["ProtectSystem"] == "strict"
    assert unit["NoNewPrivileges"] == unit["PrivateTmp"] == unit["ProtectHome"] == "yes"
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == ""
    assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == ("any", "localhost")
    assert (unit["StateDirectory"], unit["StateDirectoryMode"], unit["UMask"]) == ("cutis", "0700", "0077")
    assert unit["User"] != "root"


def test_the_unit_passes_what_systemd_checks(tmp_path):
    """Where its checker is installed; the command alone is not on this machine."""
    checker = shutil.which("systemd-analyze")
    if checker is None:
        assert "[Service]" in text("cutis.service")
        return
    path = tmp_path / "cutis.service"
    path.write_text(text("cutis.service").replace("/opt/cutis/bin/cutis", shutil.which("true")))

    run = subprocess.run([checker, "verify", path], capture_output=True, text=True, check=False)

    complaints = [line for line in run.stderr.splitlines() if "cutis.service" in line]
    assert (run.returncode, complaints) == (0, [])


def test_the_proxies_pass_on_what_the_server_trusts(settings):
    """To the address where it listens, the caller's address in place of what the caller claims, no smaller a body."""
    nginx, caddy = text("nginx.conf"), text("Caddyfile")
    largest = settings.pictures_of_a_lesion * settings.picture_bytes + 65_536

    assert nginx.count(f"proxy_pass http://{settings.host}:{PORT};") == 2
    assert nginx.count("proxy_set_header X-Forwarded-For $remote_addr;") == 2
    assert nginx.count("proxy_set_header Host $host;") == 2
    assert f"reverse_proxy {settings.host}:{PORT}" in caddy
    assert "header_up X-Forwarded-For {remote_host}" in caddy
    assert int(re.search(r"client_max_body_size (\d+)m;", nginx)[1]) << 20 >= largest
    assert int(re.search(r"max_size (\d+)MiB", caddy)[1]) << 20 >= largest
    assert f"server_name {NAME};" in nginx
    assert f"\n{NAME} {{" in caddy


def test_the_proxies_say_what_the_server_says_of_encryption():
    """One year; nginx takes the server's own line away, so that it stands once."""
    said = "max-age=31536000"

    assert f'add_header Strict-Transport-Security "{said}" always;' in text("nginx.conf")
    assert "proxy_hide_header Strict-Transport-Security;" in text("nginx.conf")
    assert f'header >Strict-Transport-Security "{said}"' in text("Caddyfile")
    assert f'"strict-transport-security": "{said}"' in (REPOSITORY / "src/cutis/web/border.py").read_text()


def test_nothing_that_passes_a_proxy_is_kept_by_it():
    """Pictures of patients, with whatever their files tell, lie in nobody's folder of temporary files, nor in swap."""
    assert "proxy_request_buffering off;" in text("nginx.conf")
    assert "proxy_max_temp_file_size 0;" in text("nginx.conf")
    assert "buffer" not in text("Caddyfile")  # it keeps nothing unless it is told to
    assert (_unit()["MemorySwapMax"], _unit()["LimitCORE"]) == ("0", "0")


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_every_brace_of_a_proxy_is_closed(name):
    """What a human eye overlooks."""
    bare = "\n".join(line for line in text(name).splitlines() if not line.strip().startswith("#"))
    bare = re.sub(r"\{\w+\}", "", bare)  # Caddy's placeholders
    depth = 0
    for letter in bare:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    if name == "nginx.conf":
        lines = [line.split(" #")[0].strip() for line in bare.splitlines()]
        assert [line for line in lines if line and line[-1] not in ";{}"] == []


def test_the_container_is_built_of_known_words():
    """Each instruction is one of the language's, its root file system can stay read-only, and root is nobody in it."""
    lines = re.sub(r"\\\n", " ", text("Containerfile"))
    found = [line.split(maxsplit=1) for line in lines.splitlines() if line and not line.startswith("#")]
    words = [word for word, _ in found]
    said = dict(found)

    known = "FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD"
    assert set(words) == set(known.split())
    assert words[0] == "FROM"
    assert said["USER"] == "10001:10001"
    assert said["EXPOSE"] == str(PORT)
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert "-c constraints.txt '.[serve,postgres]'" in lines
    assert f"http://127.0.0.1:{PORT}/health" in said["HEALTHCHECK"]


def test_the_container_finds_what_it_copies_and_runs(monkeypatch):
    """The files are in the checkout, the command can be typed, and its environment is understood."""
    lines = re.sub(r"\\\n", " ", text("Containerfile"))
    copied = re.findall(r"^COPY (?!--)(.+)$", lines, re.MULTILINE)
    command = _listed(lines, "ENTRYPOINT") + _listed(lines, "CMD")
    for name, value in re.findall(r"(CUTIS_\w+)=('[^']*'|\S+)", lines):
        monkeypatch.setenv(name, value.strip("'"))

    read = read_clinic_settings()

    assert [path for line in copied for path in line.split()[:-1] if not (REPOSITORY / path).exists()] == []
    assert command[:2] == ["cutis", "serve"]
    typer.main.get_command(app).commands["serve"].make_context("serve", command[2:])
    assert read.is_public
    assert f"127.0.0.1:{PORT}" in read.known_hosts


def test_no_example_carries_a_secret():
    """Nothing in them looks like one, but the placeholder that is refused."""
    for path in DEPLOY.iterdir():
        assert not re.search(r"(password|secret|token)\s*[=:]\s*\S", path.read_text(), re.IGNORECASE), path
        assert "-----BEGIN" not in path.read_text()


def _unit():
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(text("cutis.service"))
    return dict(parser["Service"])


def _listed(lines, word):
    said = re.search(rf"^{word} \[(.+)\]$", lines, re.MULTILINE)[1]
    return [each.strip().strip('"') for each in said.split(",")]
