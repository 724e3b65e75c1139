"""Rule files to rules: found beside the package or in the source tree, read once, refused where they break the schema."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ..model import Rule, StageName
from .documents import CatalogError, document, texts
from .match import Catalog, failures
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
    """The catalogue of this directory, by default of this installation, whole; read once in a process.

    Raises CatalogError, which names the file and the key.
    """
    top = directory or home()
    rules: list[Rule] = []
    for stage in _STAGES:
        rules += (rule_from(path, document(path, text), stage) for path, text in texts(top / stage.value))
    seen: dict[str, Rule] = {}
    for rule in rules:
        for what in (rule.code, rule.name):
            if what in seen:
                raise CatalogError(f"{top}: {what} stands in two files, of {seen[what].code} and of {rule.code}")
            seen[what] = rule
    return Catalog(sorted(rules, key=_order))


@cache
def shelf() -> Catalog:
    """The catalogue of this installation, of which a run reads what it needs."""
    return Shelf(home())


class Shelf(Catalog):
    """Rules that are read when a failure is looked up: a run that meets one need not parse three hundred files."""

    def __init__(self, top: Path) -> None:
        super().__init__(())
        self._texts = [(path, text, stage) for stage in _STAGES for path, text in texts(top / stage.value)]

    def naming(self, failure: str) -> Iterable[Rule]:
        """Those whose file has the failure's name in it somewhere, read; a rule is about less than it mentions."""
        found = (rule_from(path, document(path, text), stage) for path, text, stage in self._texts if failure.encode() in text)
        return sorted((rule for rule in found if failure in failures(rule)), key=_order)


def _order(rule: Rule) -> tuple[int, str]:
    return _STAGES.index(rule.stage), rule.code
