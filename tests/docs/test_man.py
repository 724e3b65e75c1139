"""The man page, docs/commands.md, docs/settings.md and the completion say what the program has."""

from __future__ import annotations

import importlib.util
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli.program import pomprobe
from pomprobe.cli.app import command, options
from servers.app import app

ROOT = Path(__file__).parent.parent.parent
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PROGRAM = Path(sys.executable).with_name("pomprobe")


def tool() -> ModuleType:
    """tools/man.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("man", ROOT / "tools" / "man.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


man = tool()


def of(language: str) -> list[str]:
    """The code blocks of docs/settings.md in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", SETTINGS, re.DOTALL | re.MULTILINE)


def every_option() -> Iterator[tuple[str, str]]:
    """(command, long name) of each option."""
    made: Any = command()
    for name, one in made.commands.items():
        yield from ((name, option) for parameter in one.params for option in parameter.opts if option.startswith("--"))


def test_the_page_is_the_one_of_the_help() -> None:
    """docs/pomprobe.1 is what `make docs` writes."""
    assert man.PAGE.read_text(encoding="utf-8") == man.page()


@pytest.mark.parametrize(("name", "option"), list(every_option()))
def test_every_option_is_documented_once(name: str, option: str) -> None:
    """Each option of each command stands once in its part of docs/commands.md, and once in its part of the man page."""
    (part,) = re.findall(rf"^## pomprobe {name}\n(.*?)(?=^## |\Z)", COMMANDS, re.DOTALL | re.MULTILINE)
    assert 1 == len(re.findall(rf"^  (?:-\w, )?{option}(?= |,|$)", part, re.MULTILINE))
    (part,) = re.findall(rf"^\.SS {name}\n(.*?)(?=^\.S[SH] )", man.page(), re.DOTALL | re.MULTILINE)
    escaped = re.escape(option.replace("-", r"\-"))
    assert 1 == len(re.findall(rf"^\.TP\n(?:.*, )?\\fB{escaped}\\fR", part, re.MULTILINE))


def test_the_page_is_well_formed() -> None:
    """Lines are text or one of the requests that it uses; fonts that are begun are ended."""
    for line in man.page().splitlines():
        if line.startswith("."):
            assert re.match(r"\.(TH|SH|SS|PP|TP|B|br|RS|RE|nf|fi)\b", line), line
        assert not line.startswith("'")
        assert line.count(r"\fB") + line.count(r"\fI") == line.count(r"\fR")


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_reads_the_page() -> None:
    """groff warns of nothing."""
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", man.PAGE], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_the_check_finds_an_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--check is exit code 1 for a page that differs, and 0 for one that was just written."""
    monkeypatch.setattr(man, "PAGE", tmp_path / "pomprobe.1")
    assert 1 == man.main(["--check"])
    assert 0 == man.main([])
    assert 0 == man.main(["--check"])
    assert "make docs" in capsys.readouterr().err


def test_the_sample_of_the_file_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pomprobe.toml of the page is read, and its report is written."""
    monkeypatch.chdir(tmp_path)
    (sample,) = of("toml")
    (tmp_path / "pomprobe.toml").write_text(sample)
    with app() as up:
        (tmp_path / "config.yaml").write_text(f"routes:\n- from: https://a.example.com\n  to: {up.url}\n")
        ended = pomprobe("check", "config.yaml", "--fail-on", "error")
    assert 0 == ended.code
    assert (tmp_path / "pomprobe.json").exists()


def test_the_sample_of_the_environment_is_one(tmp_path: Path) -> None:
    """The variables of the page are options, and its script runs."""
    (script,) = [block for block in of("sh") if "export" in block]
    for name in re.findall(r"^export POMPROBE_(\w+)=", script, re.MULTILINE):
        one, _, option = name.lower().partition("_")
        assert option in options(command())[one]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POMPROBE_", "KUBERNETES_"))}
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    with app(running=False) as down:
        (tmp_path / "config.yaml").write_text(f"routes:\n- from: https://a.example.com\n  to: {down.url}\n")
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stderr)
    assert (tmp_path / "pomprobe.json").exists() and "TCP102" in done.stdout


def script_for(shell: str) -> str:
    """The completion script as the page has it written to a file."""
    environment = os.environ | {"_POMPROBE_COMPLETE": f"source_{shell}"}
    return subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown(shell: str) -> None:
    """_POMPROBE_COMPLETE=source_SHELL prints a script for this shell; where the shell is here, it reads the script."""
    script = script_for(shell)
    assert "_POMPROBE_COMPLETE" in script
    assert f"_POMPROBE_COMPLETE=source_{shell}" in SETTINGS
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_completion_is_put_in_place(tmp_path: Path) -> None:
    """The lines for packages, run: zsh takes a file only whose first line says what it completes."""
    (script,) = [block for block in of("sh") if "source_bash" in block]
    here = re.sub(r"> \S+/(\S+)", rf"> {tmp_path}/\1", script)
    environment = os.environ | {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", here], env=environment, check=True)
    assert {"pomprobe", "_pomprobe", "pomprobe.fish"} == {path.name for path in tmp_path.iterdir() if path.stat().st_size}
    assert (tmp_path / "_pomprobe").read_text().startswith("#compdef pomprobe\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_completion_of_this_shell_is_shown() -> None:
    """--show-completion, called by bash, prints what bash is to read."""
    done = subprocess.run(["bash", "-c", f"{PROGRAM} --show-completion; true"], capture_output=True, text=True, check=True)
    assert "complete -o default -F _pomprobe_completion pomprobe" in done.stdout
    assert "`pomprobe --show-completion`" in SETTINGS


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish_completes(tmp_path: Path) -> None:
    """fish loads the file, and completes a command and an option with what they are for."""
    (tmp_path / "pomprobe.fish").write_text(script_for("fish"))
    environment = os.environ | {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def asked(line: str) -> list[str]:
        call = ["fish", "--no-config", "-c", f"source {tmp_path}/pomprobe.fish; complete -C '{line}'"]
        done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
        return [answer.partition("\t")[0] for answer in done.stdout.splitlines() if answer]

    assert ["--on-change", "--only"] == sorted(asked("pomprobe check --on"))
    assert "check" in asked("pomprobe ch")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_completes(tmp_path: Path) -> None:
    """zsh takes the file from its fpath, and completes what is typed into a terminal."""
    (tmp_path / "_pomprobe").write_text(script_for("zsh").lstrip())
    pid, screen = pty.fork()
    if pid == 0:
        kept = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(tmp_path)}
        os.execvpe("zsh", ["zsh", "-f", "-i"], kept)
    try:
        os.write(screen, f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump\n".encode())
        os.write(screen, b"pomprobe check --on\t\t")
        seen = ""
        while "--on-change" not in seen:
            seen += os.read(screen, 4096).decode(errors="replace")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(screen)


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc here")
def test_mandoc_reads_the_page() -> None:
    """mandoc warns of nothing but the date, which the page does not have."""
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", man.PAGE], capture_output=True, text=True, check=False)
    assert [] == [line for line in done.stdout.splitlines() if "missing date" not in line]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("pomprobe ch", ["check"]),
        ("pomprobe check --on", ["--only", "--on-change"]),
        ("pomprobe lint --bas", ["--baseline"]),
        ("pomprobe check -o j", ["json", "jsonl", "junit"]),
        ("pomprobe check --fail-on e", ["error"]),
        ("pomprobe check --only t", ["tcp", "tls"]),
        ("pomprobe lint --suppress TLS20", ["TLS201", "TLS202", "TLS203", "TLS204"]),
        ("pomprobe check --color n", ["never"]),
    ],
)
def test_completion_completes(typed: str, completed: list[str]) -> None:
    """What bash is given for a word that was begun."""
    words = typed.split()
    call = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _pomprobe_completion {PROGRAM}"
    asked = f"{script_for('bash')}\n{call}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert completed == done.stdout.split()
