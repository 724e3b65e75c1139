"""The order of the code is kept: doors, heavy imports, sizes, and what the package exports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import pomprobe

SOURCE = Path(pomprobe.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

DOORS = {
    "OpenSSL": {"net/tls.py"},
    "cryptography": {"config/pem.py", "demo/certificate.py", "net/signatures.py"},
    "dns": {"net/resolver_wire.py"},
    "hpack": {"net/http2.py", "net/http2_cut.py"},
    "httpx": {"envoy/admin.py"},
    "jinja2": {"report/html.py"},
    "markupsafe": {"report/html.py"},
    "msgspec": {"record.py"},
    "prometheus_client": {"report/prometheus.py"},
    "re2": {"plan/regex.py"},
    "rich": {"cli/progress.py", "report/layout.py"},
    "typer": {"cli"},
    "xxhash": {"config/route_id.py"},
    "yaml": {"catalog/documents.py", "config/document.py"},
}
"""library -> the files, or the package, that import it. Exactly these: a door that nobody uses is no door."""

EVERYWHERE = {"anyio", "pomprobe"}

HEAVY = {"OpenSSL", "cryptography", "dns", "h2", "httpx", "jinja2", "prometheus_client", "envoy", "anyio", "asyncio"}
"""What no short command imports."""

SHORT = [["--version"], ["--help"], ["check", "--help"], ["rules"], ["explain", "no_healthy_upstream"]]

LONGEST = 300
"""Lines of a source file: more are usually two ideas."""

LONGER = {"runner.py": 320}
"""The scheduler is one idea."""


def imports(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def test_each_library_has_its_doors() -> None:
    """A third-party library is imported in its doors alone, so that it can be exchanged."""
    importers: dict[str, set[str]] = defaultdict(set)
    for path in FILES:
        relative = path.relative_to(SOURCE)
        for library in set(imports(path)) - set(sys.stdlib_module_names) - EVERYWHERE:
            package = relative.parts[0]
            importers[library].add(package if package in DOORS.get(library, set()) else str(relative))
    assert dict(importers) == DOORS


@pytest.mark.parametrize("arguments", SHORT, ids=" ".join)
def test_short_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """`--help`, `rules` and `explain` start without the network's libraries."""
    program = (
        "import atexit, sys\n"
        f"sys.argv = ['pomprobe', *{arguments!r}]\n"
        "atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        "from pomprobe.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert set(done.stderr.split()) & HEAVY == set()


def test_no_async_function_takes_a_timeout() -> None:
    """The caller's cancel scope is the clock."""
    takers = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef)
        if any(argument.arg in ("timeout", "deadline") for argument in (*node.args.args, *node.args.kwonlyargs))
    ]
    assert takers == []


def test_files_are_small() -> None:
    """A source file can be read at a sitting."""
    lines = {str(path.relative_to(SOURCE)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: count for name, count in lines.items() if count > LONGER.get(name, LONGEST)} == {}


def test_every_module_says_what_it_is_for() -> None:
    """Each file begins with a sentence."""
    assert [str(path) for path in FILES if not (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0].strip()] == []


WALL_CLOCK = {"api.py", "lint.py", "config/pem.py", "demo/certificate.py", "net/certificates.py", "net/judge.py", "net/verify.py"}
"""Who asks for the date: when a report was begun, and whether a certificate is valid."""


def test_a_wall_clock_that_jumps_moves_no_timer() -> None:
    """Timers and elapsed times are of the monotonic clock: nobody else reads the other one."""
    wall = re.compile(r"\btime\.time\(|from time import.*\btime\b|\.now\(|\.today\(|utcnow|localtime|gmtime")
    assert {str(path.relative_to(SOURCE)) for path in FILES if wall.search(path.read_text())} == WALL_CLOCK


def test_what_is_exported_is_there() -> None:
    """Each name of __all__ can be had from the package, and each is documented."""
    undocumented = [name for name in pomprobe.__all__ if name != "__version__" and not getattr(pomprobe, name).__doc__]
    assert undocumented == []


def test_the_package_has_no_other_name() -> None:
    """A name that is not there is an AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="module 'pomprobe' has no attribute 'checks'"):
        pomprobe.checks  # noqa: B018
