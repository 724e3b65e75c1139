"""The real Envoy that these tests ask: POMPROBE_ENVOY, else the one that `pomprobe reproduce` would find."""

from __future__ import annotations

import os

import pytest

from pomprobe.envoy.find import Binary, find


@pytest.fixture(scope="session")
def envoy() -> Binary:
    """Its path and version."""
    return find(os.environ.get("POMPROBE_ENVOY") or None)
