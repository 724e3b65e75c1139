"""Says what Pomerium's users will see: probes every upstream of a Pomerium config and forecasts Envoy's answer, word for word.

    config = pomprobe.load("config.yaml")
    report = pomprobe.run(config)          # inside an event loop: await pomprobe.probe(config, observer=print)
    for verdict in report.problems:
        print(verdict.endpoint, verdict.rule.code, *verdict.fixes, sep="\\n  ")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import load, probe, run
    from .model import Config, ConfigError, Report
    from .runner import Options

__all__ = ["Config", "ConfigError", "Options", "Report", "__version__", "load", "probe", "run"]
__version__ = "0.1.0"

_HOMES = {"load": "api", "probe": "api", "run": "api", "Options": "runner", "Config": "model", "ConfigError": "model", "Report": "model"}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: `pomprobe --version` needs none of it."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
