"""Configs that mean harm, from their bytes to a plan: refused with a place, or read; nothing else, and no packet."""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from pomprobe.config import load
from pomprobe.config.keys import GLOBAL_KEYS, ROUTE_KEYS
from pomprobe.model import ConfigError
from pomprobe.plan import plan
from robust.canaries import Canaries
from robust.fuzz import HERE, SAMPLES, mutated, read, tried
from robust.running import measured, run, spawn


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_mutated_sample_is_refused_or_planned(path: Path) -> None:
    """Forty mutations of each sample, read, planned, listed, linted and printed."""
    dice, data = random.Random(path.stem), path.read_bytes()
    for turn in range(40):
        changed = mutated(data, dice)
        try:
            read(path.name, changed)
        except Exception as error:
            raise AssertionError((turn, changed)) from error


def test_the_first_of_the_fuzz_loop() -> None:
    """The beginning of what `make fuzz` goes on with: every format, a few keys with values that nobody means, a config of secrets."""
    assert [] == [broken for broken in (tried(number, seed=1) for number in range(1500)) if broken is not None]


@pytest.mark.parametrize("name", ["c.yaml", "c.json", "c.toml", ".env", "c"])
def test_noise_is_refused(name: str) -> None:
    """Bytes of every kind, under every name."""
    dice = random.Random(name)
    for size in (0, 1, 2, 7, 100, 5000):
        for _ in range(20):
            read(name, dice.randbytes(size))
            read(name, bytes(dice.choice(b"{}[]:,-'\"\\#&*!|> \n\tabc019._=") for _ in range(size)))


@pytest.mark.slow
def test_every_key_with_every_strange_value() -> None:
    """Each key of a route and of the top level, with texts, numbers, lists and mappings that nobody means."""
    for key, within in (*((key, False) for key in GLOBAL_KEYS), *((key, True) for key in ROUTE_KEYS)):
        for value in _values():
            route = {"from": "https://a.example.com", "to": "http://127.0.0.1:1"}
            top = {"routes": [{**route, key: value}]} if within else {"routes": [route], key: value}
            try:
                config = load("c.yaml", text=_dumped(top, value))
                plan(config, HERE)
            except ConfigError:
                pass
            except Exception as error:
                raise AssertionError((key, value)) from error


def _dumped(top: Mapping[str, object], value: object) -> bytes:
    """As JSON, which is read many times faster, where JSON has such a value."""
    return json.dumps(top).encode() if value == value and not isinstance(value, bytes) else yaml.safe_dump(top).encode()


def _values() -> Iterator[object]:
    yield from ("", "\x1b[31m\u202e", "x" * 5000, -1, 10**30, float("inf"), float("nan"), True, None, [], {}, [[]], {"": {"": []}})
    yield from (["a", 1, None], {"a": {"b": [{"c": "d"}]}}, "0s", "-1s", "9" * 400, "0x7fffffffffffffffff", "{", "YQ==", "a,b", b"\xff")


@pytest.mark.parametrize("key", ["timeout", "healthy_panic_threshold", "preserve_host_header", "name", "prefix", "to"])
@pytest.mark.parametrize(
    "value", ["0x7fffffffffffffffff", "-0x8000000000000001", "0b" + "1" * 70, "0" + "7" * 30, "9" * 400, "1e999", "!!float 0x10"]
)
def test_numbers_beyond_all_bounds(key: str, value: str) -> None:
    """Numbers that no integer of Go holds are floats or text, as YAML has them; none breaks a field that wants a number."""
    read("c.yaml", f"routes:\n- {{from: https://a.example.com, to: http://a.test, {key}: {value}}}\n".encode())


@pytest.mark.parametrize("text", [b"health_checks: 2025-01-01", b"name: !!binary YQ==\xe2\x80\xae"])
def test_values_that_broke_the_reader(text: bytes) -> None:
    """A date where a list belongs; base64 that is not even ASCII."""
    assert read("c.yaml", b"routes:\n- from: https://a.example.com\n  to: http://a.test\n  " + text) is None


def test_depth_and_aliases_through_the_program(tmp_path: Path) -> None:
    """10,000 levels, ten times ten aliases, a NUL, a mapping that holds itself: one line on standard error, exit code 2."""
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    endless = ("[" * 10_000, "{a: " * 10_000, "- " * 10_000, bomb, "a: &a [*a]", "a: &a {<<: *a}")
    for text in (*endless, "a: \0", "%YAML 9.9\n---\na: 1\n", "\ufeff\ufeff["):
        path = tmp_path / "c.yaml"
        path.write_text(text)
        ran = run("lint", str(path))
        assert (2, 1) == (ran.code, ran.err.count("\n")), (text[:40], ran)


def test_a_device_and_a_pipe_are_no_config(tmp_path: Path) -> None:
    """/dev/zero would never end; a pipe that nobody writes into is empty."""
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", str(tmp_path / "pipe"), str(tmp_path), "/proc/self/mem"):
        ran = spawn("check", path)
        assert 2 == ran.code, ran
        assert "Traceback" not in ran.err


def test_no_secret_of_a_mutated_config() -> None:
    """A hundred careless edits of a config that holds secrets: none of them is in the words that refuse it."""
    canaries, dice = Canaries(), random.Random("secrets")
    top = {
        "shared_secret": canaries["shared_secret"],
        "cookie_secret": canaries["cookie_secret"],
        "routes": [{
            "from": "https://a.example.com",
            "to": f"https://u:{canaries['password']}@a.test/?t={canaries['query']}",
            "set_request_headers": {"authorization": f"Bearer {canaries['authorization']}"},
            "tls_client_key": canaries["key"],
        }],
    }  # fmt: skip
    data = yaml.safe_dump(top).encode()
    for _ in range(150):
        changed = mutated(data, dice)
        try:
            config = load("c.yaml", text=changed)
        except ConfigError as error:
            said = str(error) + repr([problem.facts for problem in error.problems])
        else:
            said = repr(config.problems)
        assert [] == canaries.found(said), (changed.decode("utf-8", "replace"), said)


@pytest.mark.parametrize("key", ["regex", "regex_rewrite_pattern"])
@pytest.mark.parametrize("pattern", ["^/(a+)+$", "/" + "(x+x+)+y" * 3, "^/static" + "/.+tatic" * 30 + "$", "(/|/)*" * 40, "((a{9}){9}){9}"])
def test_an_expression_that_others_would_never_finish(key: str, pattern: str) -> None:
    """RE2 is linear: neither a route's own example nor one of another route's takes longer than a moment."""
    long = "/" + "a" * 40 + "x" * 40 + "/static" * 30
    routes = [
        {"from": "https://a.example.com", "to": "http://a.test", key: pattern, "regex_rewrite_substitution": "/b"},
        {"from": "https://a.example.com", "to": "http://b.test", "prefix": long},
    ]
    began = time.process_time()
    read("c.json", json.dumps({"routes": routes}).encode())
    assert time.process_time() - began < 2


ROUTE = b"- {from: https://r%d.example.com, to: 'http://127.0.0.1:1'}\n"
MANY = [f"http://a:{n}" for n in range(1, 50_000)]
HUGE: dict[str, tuple[str, bytes, int]] = {
    "30,000 routes": ("c.yaml", b"routes:\n" + b"".join(ROUTE % n for n in range(30_000)), 0),
    "10,000 equal routes": ("c.yaml", b"routes:\n" + ROUTE % 0 * 10_000, 1),
    "50,000 upstreams": ("c.json", json.dumps({"routes": [{"from": "https://a.b", "to": MANY}]}).encode(), 0),
    "host of 5 MB": ("c.yaml", b"routes:\n- from: https://a.example.com\n  to: http://" + b"a" * 5_000_000, 0),
    "key of a megabyte": ("c.yaml", b"x" * 1_000_000 + b": y\n" + b"routes:\n" + ROUTE % 0, 2),
    "20,000 unknown keys": ("c.yaml", b"".join(b"unknown_key_%d: y\n" % n for n in range(20_000)) + b"routes:\n" + ROUTE % 0, 0),
    "50,000 variables": (".env", b"".join(b"A%d=b\n" % n for n in range(50_000)), 0),
    "JSON of 100,000 levels": ("c.json", b'{"a":' * 100_000, 2),
    "TOML of 100,000 levels": ("c.toml", b"a = " + b"[" * 100_000, 2),
    "TOML key of 50,000 parts": ("c.toml", b"a" + b".a" * 50_000 + b" = 1\n", 2),
    "TOML table of 50,000 parts": ("c.toml", b"[a" + b".a" * 50_000 + b"]\n", 2),
    "TOML inline key of 50,000 parts": ("c.toml", b"x = {a" + b".a" * 50_000 + b" = 1}\n", 2),
    "TOML number of a megabyte": ("c.toml", b"x = 1\na = " + b"9" * 1_000_000 + b"\n", 2),
    "JSON number of a megabyte": ("c.json", b'{"timeout_read": ' + b"9" * 1_000_000 + b"}", 2),
    "comment of 50 MB": ("c.yaml", b"# " + b"x" * 50_000_000, 2),
}  # fmt: skip
"""name -> the file's name, its text, the exit code of lint."""

MEMORY = 450 * 1024
"""Kilobytes that any of them may take."""


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_huge_configs_are_bounded(name: str, tmp_path: Path) -> None:
    """Seconds and some hundred megabytes, whatever it is; refused with one line and a place, or read."""
    file, text, code = HUGE[name]
    path = tmp_path / file
    path.write_bytes(text)
    used = measured("lint", str(path), out=tmp_path / "out")
    said = (tmp_path / "out").read_text()
    assert code == used.code, said[:500]
    assert "Traceback" not in said and "a defect of" not in said, said[:500]
    assert code != 2 or said.startswith(f"{path}:"), said[:500]
    assert used.memory < MEMORY
    assert used.seconds < 20


def test_a_socket_is_no_config(tmp_path: Path) -> None:
    """Nor is it waited for."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        ran = run("lint", str(tmp_path / "s"))
    assert (2, 1) == (ran.code, ran.err.count("\n"))
