"""The catalogue: probes/**/*.yaml as rules, which of them fires on an outcome, and its words with the facts filled in.

Pure functions over frozen data; no rule's text stands in code. The order of use:
`load()` once (or `shelf()`, which reads what is needed), `Catalog.match` for each failure, then `Catalog.render` (title, why),
`.fixes` and `.reply` (what Envoy answers).
"""

from __future__ import annotations

from .documents import CatalogError
from .match import Catalog, NoRuleError
from .read import home, load, shelf
from .render import fixes, plain, render, reply

__all__ = ["Catalog", "CatalogError", "NoRuleError", "fixes", "home", "load", "plain", "render", "reply", "shelf"]
