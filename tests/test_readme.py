"""The README and CONTRIBUTING say what is so: their console blocks, their code and their sample rule are run."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from pomprobe import catalog
from pomprobe.cli.app import app
from pomprobe.demo import upstreams
from pomprobe.report import FORMATS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()


def tool() -> ModuleType:
    """tools/readme.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("readme", ROOT / "tools" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


readme = tool()


@pytest.mark.parametrize("block", [*readme.blocks(README), *readme.blocks(COMMANDS)], ids=lambda block: block["command"])
def test_a_block_is_what_the_command_prints(block: re.Match[str]) -> None:
    """Each console block of the README and of docs/commands.md is the output of its command; `make docs` writes them."""
    assert readme.differences(f"```console\n{block[0]}```\n") == []


def test_a_wrong_block_is_found() -> None:
    """A block that differs from the output, or parts of it in the wrong order, are differences."""
    assert readme.differences("```console\n$ pomprobe --version\npomprobe 0.0.0\n```\n") == ["pomprobe --version"]
    swapped = "```console\n$ pomprobe --help\nCommands:\n…\nOptions:\n```\n"
    assert readme.differences(swapped) == ["pomprobe --help"]
    assert readme.differences("```console\n$ pomprobe --help\n…\nOptions:\n…\nCommands:\n…\n```\n") == []


async def test_the_example_of_the_library_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of the README prints the fixes of a config's problems."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    inside = code.replace("pomprobe.run(config)  ", "await pomprobe.probe(config)  ")
    assert inside != code
    body = "".join(f"    {line}\n" for line in inside.splitlines())
    async with upstreams() as path:
        os.symlink(path, path.with_name("config.yaml"))
        monkeypatch.chdir(path.parent)
        names: dict[str, object] = {}
        exec(f"async def example() -> None:\n{body}", names)
        await names["example"]()  # type: ignore[operator]
    assert "TCP" in capsys.readouterr().out


def test_the_sample_rule_of_the_recipe_is_a_rule(tmp_path: Path) -> None:
    """The rule in CONTRIBUTING can be put into the catalogue as it is: one file."""
    (sample,) = re.findall(r"```yaml\n# probes/(\S+)\n(.*?)```", CONTRIBUTING, re.DOTALL)
    shutil.copytree(ROOT / "probes", tmp_path / "probes")
    (tmp_path / "probes" / sample[0]).write_text(sample[1])
    rules = {rule.code: rule for rule in catalog.load(tmp_path / "probes").rules}
    assert rules["TCP999"].name == "connection-refused-by-the-cat"


def test_every_command_is_documented() -> None:
    """docs/commands.md has each command of the command line, and no other."""
    commands = {command.name for command in app.registered_commands}
    assert {block["command"] for block in readme.blocks(COMMANDS)} == {f"pomprobe {name} --help" for name in commands}


def test_every_target_is_a_target() -> None:
    """Each `make …` that a document names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README + CONTRIBUTING, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_format_is_a_format() -> None:
    """Each `-o FORMAT` of the README is a format."""
    named = set(re.findall(r"-o ([a-z]+)", README))
    assert {"sarif", "nagios"} <= named <= set(FORMATS)


def test_every_link_leads_somewhere() -> None:
    """A relative link of a document is a file."""
    for text in (README, CONTRIBUTING):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), target
