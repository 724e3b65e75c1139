"""Every sample config is read, and says on its first line what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pomprobe.config import container, load
from pomprobe.model import Failure, RouteKind

FOLDER = Path(__file__).parents[2] / "sample-configs"
SAMPLES = sorted(path for path in FOLDER.iterdir() if path.is_file())
TOLD = {
    "06-tunnels.yaml": {Failure.CONNECT_FORWARDED},
    "18-mistakes.yaml": {
        Failure.TOP_LEVEL_ROUTE_KEY,
        Failure.LOCALHOST_UPSTREAM,
        Failure.TO_PATH_WITHOUT_SLASH,
        Failure.DURATION_NANOSECONDS,
        Failure.UNKNOWN_KEY,
        Failure.PRE_032_KEY,
        Failure.TLS_KEYS_ON_HTTP,
        Failure.SHADOWED_ROUTE,
        Failure.MIXED_TLS_SCHEMES,
        Failure.NO_HEALTH_CHECK_MULTI,
        Failure.FROM_WITHOUT_PORT,
        Failure.DEFAULT_PORT_80,
        Failure.LOOP_TO_POMERIUM,
        Failure.IDLE_TIMEOUT_ALONE,
        Failure.PANIC_THRESHOLD_UNSET,
        Failure.CLUSTER_REFUSED,
        Failure.CAMEL_CASE_KEY,
    },
    "19-suppressed.yaml": {Failure.SKIP_VERIFY},
}


def test_there_are_samples() -> None:
    """From the smallest to the whole surface."""
    assert len(SAMPLES) >= 12


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_first_line(sample: Path) -> None:
    """The first line says what the sample shows."""
    first, second = sample.read_text().split("\n")[:2]
    assert first.startswith("# ") or second.strip().startswith('"x-comment": ')


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_loads(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample has routes, and exactly the problems that it is about."""
    monkeypatch.setattr(container, "MARK", "/nonexistent/mark")
    config = load(sample)
    assert config.routes
    assert TOLD.get(sample.name, set()) == {problem.failure for problem in config.problems}


def test_all_kinds() -> None:
    """Together the samples show every kind of route but the tunnels that cannot be probed."""
    kinds = {route.kind for sample in SAMPLES for route in load(sample).routes}
    assert set(RouteKind) - {RouteKind.TUNNEL} == kinds


def test_names_are_examples() -> None:
    """No sample names a real host."""
    for sample in SAMPLES:
        for route in load(sample).routes:
            for host in (route.from_host, *(one.host for one in route.upstreams)):
                suffix = host.rpartition(".")[2]
                reserved = suffix in ("internal", "svc", "local") or host.endswith((".example.com", ".example.net", ".example.internal"))
                assert reserved or "." not in host or host.replace(".", "").isdigit(), host
