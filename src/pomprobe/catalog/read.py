"""Rule files to rules: found beside the package or in the source tree, read once, refused where they break the schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..model import Rule, StageName
from .documents import CatalogError, documents
from .match import Catalog
from .schema import rule_from

_STAGES = tuple(StageName)


def home() -> Path:
    """The directory of the catalogue: `pomprobe/probes` in a wheel, the top-level `probes` in a source tree."""
    package = Path(__file__).resolve().parent.parent
    for directory in (package / "probes", package.parent.parent / "probes"):
        if directory.is_dir():
            return directory
    raise CatalogError(f"no catalogue beside {package}")


@cache
def load(directory: Path | None = None) -> Catalog:
    """The catalogue of this directory, by default of this installation; read once in a process.

    Raises CatalogError, which names the file and the key.
    """
    top = directory or home()
    rules: list[Rule] = []
    for stage in _STAGES:
        rules += (rule_from(path, document, stage) for path, document in documents(top / stage.value))
    seen: dict[str, Rule] = {}
    for rule in rules:
        for what in (rule.code, rule.name):
            if what in seen:
                raise CatalogError(f"{top}: {what} stands in two files, of {seen[what].code} and of {rule.code}")
            seen[what] = rule
    return Catalog(tuple(sorted(rules, key=lambda rule: (_STAGES.index(rule.stage), rule.code))))
