"""The files of examples/deploy: what they refer to is there, and they ask for no more rights than they need."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from house import ROOT, pyproject
from typer.main import get_command

from stagesync.app.configuration.loading import read
from stagesync.app.main import app

DEPLOY = ROOT / "examples" / "deploy"
COMMANDS: Any = get_command(app)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with what follows them; continued lines are one."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_unit_runs_the_service_and_little_else() -> None:
    """Its command is one of ours, it stops patiently, and it is not root."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]  # how the parser is told to keep capital letters
    unit.read_string((DEPLOY / "stagesync.service").read_text("utf-8"))
    service = unit["Service"]
    program, command, folder = shlex.split(service["ExecStart"])
    assert (Path(program).name, folder) == ("stagesync", "/etc/stagesync")
    assert command in COMMANDS.commands
    assert service["User"] == "stagesync"
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["TimeoutStopSec"]) >= 90
    assert service["ProtectSystem"] == "strict"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, once the program is one that is there."""
    text = (DEPLOY / "stagesync.service").read_text("utf-8").replace("/usr/local/lib/stagesync/bin/stagesync", sys.executable)
    unit = tmp_path / "stagesync.service"
    unit.write_text(text, "utf-8")
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    about_it = [line for line in said.stderr.splitlines() if "stagesync" in line]
    assert (said.returncode, about_it) == (0, [])


def test_the_image_is_built_from_what_is_here() -> None:
    """Known instructions, fixed versions, no root at the end, and a health check against a path that is answered."""
    found = instructions()
    words = [word for word, _ in found]
    assert set(words) <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    images = [re.fullmatch(r"python:(\d+)\.(\d+)-\S+(?: AS (\w+))?", rest) for word, rest in found if word == "FROM"]
    assert all(images)
    least = tuple(map(int, re.findall(r"\d+", pyproject()["project"]["requires-python"])))
    assert all((int(image[1]), int(image[2])) >= least for image in images if image)
    stages = {image[3] for image in images if image}
    assert all(stage in stages for word, rest in found if word == "COPY" for stage in re.findall(r"--from=(\w+)", rest))
    assert f"--uid {[rest for word, rest in found if word == 'USER'][-1]} " in " ".join(rest for word, rest in found if word == "RUN")  # a number, not root's
    last = dict(found)
    assert json.loads(last["ENTRYPOINT"]) == ["stagesync"]
    assert json.loads(last["CMD"])[0] in COMMANDS.commands
    assert "http://127.0.0.1:8080/healthz" in json.loads(last["HEALTHCHECK"].partition(" CMD ")[2])[2]
    extras = re.search(r'"\.\[([\w,]+)\]"', " ".join(rest for word, rest in found if word == "RUN"))
    assert extras is not None
    assert set(extras[1].split(",")) <= set(pyproject()["project"]["optional-dependencies"])


def test_compose_refers_to_what_it_has() -> None:
    """Secrets, volumes and services are declared, the Dockerfile is there, and nothing listens beyond this machine."""
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("depends_on", {})) <= set(services)
        named = [volume.partition(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(".")]
        assert set(named) <= set(compose["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    build = services["stagesync"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    assert services["state"]["healthcheck"]


def test_the_configuration_for_compose_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong with it but that the container's secret is not here; it names the state's service and the port that is shown."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "b")
    config, problems = read(DEPLOY / "acme.example.toml")
    assert config is not None
    assert [problem.partition(":")[0] for problem in problems] == ["state.password"]
    assert "@state/stagesync" in config.state_url
    assert (config.listen.host, config.listen.port) == ("0.0.0.0", 8080)
