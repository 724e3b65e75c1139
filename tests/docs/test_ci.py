"""docs/ci.md, action.yml and .pre-commit-hooks.yaml: they are what their readers expect, and their command lines are run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from servers.app import App, app

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text()
BIN = Path(sys.executable).parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

pytestmark = pytest.mark.slow  # every command line is a process or more


def documents(key: str) -> dict[str, Any]:
    """The YAML of the page that has this key at its top."""
    found = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
    (document,) = [one for one in found if key in one]
    assert isinstance(document, dict)
    return document


@pytest.fixture
def upstream() -> Iterator[App]:
    """An app that runs."""
    with app() as one:
        yield one


@pytest.fixture
def directory(tmp_path: Path, upstream: App) -> Path:
    """A repository with pomerium/config.yaml, whose only route has this app behind it."""
    (tmp_path / "pomerium").mkdir()
    (tmp_path / "pomerium" / "config.yaml").write_text(f"routes:\n- from: https://a.example.com\n  to: {upstream.url}\n")
    return tmp_path


def run(script: str, directory: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a script, run as a step of a workflow is."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("POMPROBE_", "KUBERNETES_", "GITHUB_"))}
    clean["PATH"] = f"{BIN}:{clean['PATH']}"
    call = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(call, cwd=directory, env=clean | environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def step(directory: Path, **inputs: str) -> tuple[int, str, str]:
    """The action's step `Run`, with these inputs, and with the pomprobe that is tested."""
    (found,) = [one for one in ACTION["runs"]["steps"] if one.get("name") == "Run"]
    given = {name: value.get("default", "") for name, value in ACTION["inputs"].items()} | inputs
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: given[match[1]], value) for name, value in found["env"].items()
    }
    (directory / "pomprobe").mkdir(exist_ok=True)
    if not (directory / "pomprobe" / "bin").exists():
        (directory / "pomprobe" / "bin").symlink_to(BIN)
    summary = str(directory / "summary.md")
    return run(found["run"], directory, RUNNER_TEMP=str(directory), GITHUB_STEP_SUMMARY=summary, **environment)


def test_the_action_is_a_composite_action() -> None:
    """Its steps name their shell, its expressions are inputs that there are, and none of them stands in a script."""
    assert "composite" == ACTION["runs"]["using"]
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)) == set(ACTION["inputs"])
    for one in ACTION["runs"]["steps"]:
        assert ("uses" in one) != ("run" in one and one["shell"] == "bash")
        assert "${{" not in one.get("run", "")


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ("vendor.github-actions", ACTION),
        ("vendor.github-workflows", documents("jobs")),
        ("vendor.gitlab-ci", documents("pomprobe")),
    ],
    ids=["action", "workflow", "gitlab"],
)
def test_the_pipelines_are_what_their_services_read(schema: str, document: dict[str, Any], tmp_path: Path) -> None:
    """The published schemas of GitHub and GitLab, as check-jsonschema brings them along."""
    named = {"on" if str(key) == "True" else str(key): value for key, value in document.items()}  # YAML 1.1 reads `on` so
    (tmp_path / "document.json").write_text(json.dumps(named))
    call = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(tmp_path / "document.json")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_action_installs_itself(directory: Path) -> None:
    """The package is installed from the action's own directory."""
    (install,) = [one["run"] for one in ACTION["runs"]["steps"] if one.get("name") == "Install"]
    assert '"$GITHUB_ACTION_PATH"' in install
    assert (0, "", "") == run(f"bash -n <<'END'\n{install}\nEND", directory)


def test_the_action_annotates_and_sums_up(directory: Path, upstream: App) -> None:
    """Annotations on standard output, the table in the summary, SARIF in its file; the step fails with the exit code of pomprobe."""
    upstream.stop()
    code, out, err = step(directory, config="pomerium/config.yaml\n")
    assert (1, "") == (code, err)
    assert re.search(r"^::error .*file=pomerium/config\.yaml,.*line=3", out, re.MULTILINE)
    assert "TCP102" in (directory / "summary.md").read_text()
    results = json.loads((directory / "pomprobe.sarif").read_text())["runs"][0]["results"]
    assert "TCP102" in {result["ruleId"] for result in results}


def test_the_action_passes_when_all_is_well(directory: Path) -> None:
    """Exit code 0, with options and several configs."""
    (directory / "two words.yaml").write_text((directory / "pomerium" / "config.yaml").read_text())
    code, _, err = step(directory, config="pomerium/config.yaml\n\ntwo words.yaml\n", args="--max-wait 10s --samples 1")
    assert (0, "") == (code, err)
    assert "all is well" in (directory / "summary.md").read_text().lower()


def test_the_action_lints(directory: Path) -> None:
    """command: lint takes the same options."""
    assert 0 == step(directory, command="lint", config="pomerium/config.yaml")[0]
    assert (directory / "pomprobe.sarif").exists()


def test_an_input_is_no_script(directory: Path) -> None:
    """A config's name with shell in it is a name."""
    code, _, err = step(directory, config="$(touch owned).yaml")
    assert (2, True) == (code, "$(touch owned).yaml" in err)
    assert not (directory / "owned").exists()


def test_the_workflow_uses_the_action() -> None:
    """The workflow of the page gives inputs that the action has, and reads outputs that it has."""
    (job,) = documents("jobs")["jobs"].values()
    (used,) = [one for one in job["steps"] if one.get("uses", "").startswith("OWNER/pomprobe@")]
    assert set(used["with"]) <= set(ACTION["inputs"])
    text = json.dumps(job)
    assert set(re.findall(rf"steps\.{used['id']}\.outputs\.(\w+)", text)) <= set(ACTION["outputs"])


def test_gitlab_gets_its_reports(directory: Path, upstream: App) -> None:
    """The script of the GitLab job writes every file that its artifacts name, also when the check fails."""
    job = documents("pomprobe")["pomprobe"]
    (command,) = [line for line in job["script"] if line.startswith("pomprobe")]
    assert "always" == job["artifacts"]["when"]
    assert 0 == run(command, directory)[0]
    upstream.stop()
    assert 1 == run(command, directory)[0]
    assert 1 == JUnitXml.fromfile(str(directory / job["artifacts"]["reports"]["junit"])).failures
    assert [True] == [(directory / path).exists() for path in job["artifacts"]["paths"]]


def test_a_baseline_lets_pass_what_was_there(directory: Path, upstream: App) -> None:
    """The two lines for a baseline: the second ends with 0 although the upstream is down, as it was."""
    upstream.stop()
    (script,) = [block for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "baseline" in block]
    assert 0 == run(script, directory)[0]


def test_waiting_for_a_deployment(directory: Path) -> None:
    """The line for after a deployment is a call that works."""
    (script,) = [block for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "--wait" in block]
    assert 0 == run(script, directory)[0]


def test_the_hook_is_a_hook(directory: Path) -> None:
    """pre-commit's fields; its files are configs; and the command is quiet about a good one and not about a bad one."""
    (hook,) = HOOKS
    assert {"id", "name", "description", "entry", "language", "files", "types"} == set(hook)
    for path in ("config.yaml", "deploy/pomerium.yml", "pomerium/config.prod.yaml"):
        assert re.search(hook["files"], path)
    assert not re.search(hook["files"], "docker-compose.yaml")
    command = shlex.join([*shlex.split(hook["entry"]), "pomerium/config.yaml"])
    assert (0, "", "") == run(command, directory)
    (directory / "pomerium" / "config.yaml").write_text("- a\n")
    assert 2 == run(command, directory)[0]


def test_pre_commit_reads_the_manifest() -> None:
    """As `pre-commit try-repo` would, which then installs the package into an environment of its own."""
    call = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert 0 == subprocess.run(call, capture_output=True, check=False).returncode


def test_the_hook_of_the_page_is_the_hook() -> None:
    """The page's .pre-commit-config.yaml names a hook that there is."""
    (repository,) = documents("repos")["repos"]
    assert [HOOKS[0]["id"]] == [hook["id"] for hook in repository["hooks"]]
