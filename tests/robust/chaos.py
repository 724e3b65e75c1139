"""A fault at every await: run as a program, it breaks one await of pomprobe after the other, and prints what became of the report.

The sources are read through an import hook that wraps each `await X` (and what `async with` enters) into a call that can be told to raise.
Prints JSON: place -> [exit code, statuses of the routes, the upstream was blamed, what was said on standard error].
"""

from __future__ import annotations

import ast
import asyncio
import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

SECRET = "QXZJsecretQXZJ"
SKIPPED = ("pomprobe.demo", "pomprobe.cli.demo")
"""Not on the way of `check` or `reproduce`."""


class Faults:
    """target: the place whose await raises, once. reached: every place that was awaited."""

    def __init__(self) -> None:
        self.target: str | None = None
        self.kind: type[Exception] = RuntimeError
        self.reached: dict[str, None] = {}

    def due(self, place: str) -> bool:
        self.reached[place] = None
        if place != self.target:
            return False
        self.target = None
        return True

    async def awaited(self, place: str, awaitable: Any) -> Any:
        if self.due(place):
            if hasattr(awaitable, "close"):
                awaitable.close()
            raise self.kind(SECRET)
        return await awaitable

    def entered(self, place: str, manager: Any) -> Any:
        if self.due(place):
            raise self.kind(SECRET)
        return manager


FAULTS = Faults()


class Wrap(ast.NodeTransformer):
    """Each await, and each manager of an `async with`, goes through FAULTS."""

    def __init__(self, module: str) -> None:
        self.module = module

    def _call(self, function: str, node: ast.expr, line: int) -> ast.expr:
        place = ast.Constant(f"{self.module.removeprefix('pomprobe.')}:{line}")
        made = ast.Call(ast.Attribute(ast.Name("__faults__", ast.Load()), function, ast.Load()), [place, node], [])
        return ast.copy_location(made, node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        node.value = self._call("awaited", node.value, node.lineno)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        for item in node.items:
            item.context_expr = self._call("entered", item.context_expr, item.context_expr.lineno)
        return node


class Finder(importlib.abc.MetaPathFinder):
    """Loads pomprobe's modules wrapped."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith("pomprobe.") or name.startswith(SKIPPED):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles the wrapped source."""

    def get_code(self, fullname: str) -> Any:
        tree = Wrap(fullname).visit(ast.parse(Path(self.path).read_bytes()))
        return compile(ast.fix_missing_locations(tree), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__faults__"] = FAULTS
        super().exec_module(module)


sys.meta_path.insert(0, Finder())


def main() -> None:
    """Break everything that a run over these upstreams awaits."""
    from robust.chaos_upstreams import routes, upstreams  # after the hook: they use pomprobe's helpers as well
    from robust.running import run
    from robust.threads import served

    with served(*upstreams()) as ports, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "c.json")
        config.write_text(json.dumps(routes(ports)))
        args = ("check", "-o", "json", "--idle-probe", "10ms", "--no-progress", str(config))
        whole = run(*args)
        told: dict[str, Any] = {"": _told(whole)}
        for place in list(FAULTS.reached):
            for kind in (RuntimeError, KeyError) if len(sys.argv) > 1 else (RuntimeError,):
                FAULTS.target, FAULTS.kind = place, kind
                ran = _told(run(*args))
                if FAULTS.target is None:  # else this run had nothing to wait for there
                    told[f"{place} {kind.__name__}"] = ran
    print(json.dumps(told))


def _told(ran: Any) -> list[Any]:
    try:
        report = json.loads(ran.out)
    except ValueError:
        return [ran.code, None, SECRET in ran.all, ran.err]
    statuses = {route["name"]: [route["status"], *(v["rule"] for v in route["verdicts"])] for route in report["routes"]}
    return [ran.code, statuses, SECRET in ran.all, ran.err]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    assert asyncio
    main()
