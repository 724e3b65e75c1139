"""A secret where none belongs: Pomerium's own words repeat a value that they refuse, ours leave out what looks like a key or token."""

from __future__ import annotations

import pytest
import yaml

from pomprobe.config.keys import GLOBAL_KEYS, ROUTE_KEYS
from pomprobe.config.problems import veiled
from pomprobe.config.url import mask
from robust.canaries import Canaries
from robust.fuzz import said

PUBLIC = {"name", "path", "prefix", "regex", "host_rewrite", "prefix_rewrite", "envoy_bind_config_source_address"}
"""Keys whose value is told, since it is what a route is known by or what is sent in clear."""

KEYS = [*((key, False) for key in sorted(GLOBAL_KEYS)), *((key, True) for key in sorted(ROUTE_KEYS))]


@pytest.mark.parametrize("shape", ["text", "list", "key", "value", "nested", "in a list"])
def test_no_secret_in_any_key_of_pomerium(shape: str) -> None:
    """Each key that Pomerium knows holds one, in shapes that fit and that do not: read, refused, planned and listed without it."""
    canaries = Canaries()
    for key, within in KEYS:
        if key in PUBLIC:
            continue
        one = canaries[f"{key} {within}"]
        value = {
            "text": one, "list": [one], "key": {one: one}, "value": {"a": one}, "nested": {"a": [{"b": one}]}, "in a list": [{one: one}]
        }[shape]  # fmt: skip
        route = {"from": "https://a.example.com", "to": "http://127.0.0.1:1"}
        top = {"routes": [{**route, key: value}]} if within else {"routes": [route], key: value}
        told = said("c.yaml", yaml.safe_dump(top).encode())
        assert [] == canaries.found(told), (key, told)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('time: invalid duration "AKIAIOSFODNN7EXAMPLE"', 'time: invalid duration "xxxxx"'),
        ('time: invalid duration "30 sec"', 'time: invalid duration "30 sec"'),
        ("open /etc/pomerium/ca-2024.pem: no such file", "open /etc/pomerium/ca-2024.pem: no such file"),
        ("my-app-7d9f8b6c5-x2x1z.prod.svc.cluster.local:8080", "my-app-7d9f8b6c5-x2x1z.prod.svc.cluster.local:8080"),
        ("strconv.ParseUint: invalid syntax", "strconv.ParseUint: invalid syntax"),
    ],
)
def test_what_looks_like_a_secret(written: str, shown: str) -> None:
    """A long run of letters and digits; not a duration, a path or a host."""
    assert shown == veiled(written)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://user:hunter2hunter", "https://user:xxxxx"),
        ("https:/user:hunter2hunter@app/x", "xxxxx@app/x"),
        ("user:hunter2hunter", "user:xxxxx"),
        ("http://app:80a", "http://app:80a"),
        ("http://app:${PORT}/", "http://app:${PORT}/"),
        ("localhost:8080/path", "localhost:8080/path"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
        ("https:app.internal", "https:app.internal"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_password_in_the_place_of_a_port(written: str, shown: str) -> None:
    """The @ behind it may be missing, or stand behind a slash of the password."""
    assert shown == mask(written)
