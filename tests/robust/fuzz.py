"""Configs that nobody means, by the million: `make fuzz N=1000000`. Each is refused with a place, or planned, listed, linted and printed.

    python -m robust.fuzz -n 100000 --seed 7 --seconds 3600

What breaks is printed as bytes with its seed, the smallest one of each kind, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pomprobe.config import load
from pomprobe.config.keys import GLOBAL_KEYS, ROUTE_KEYS
from pomprobe.lint import lint
from pomprobe.listing import describe
from pomprobe.model import Config, ConfigError
from pomprobe.plan import Bundle, plan
from pomprobe.report import FORMATS, Style, write
from pomprobe.selection import merge
from robust.canaries import Canaries

HERE = Bundle(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "/ca.pem")
SAMPLES = tuple(path for path in sorted((Path(__file__).parents[2] / "sample-configs").glob("*")) if path.is_file())
STRANGE = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\x1b[31m",
    "\u202e".encode(), b"\t", b"- ", b": ", b"{", b"[", b"'", b'"', b"&a ", b"*a", b"<<: ",
    b"!!binary ",
    b"!!int ", b"|\n", b"%", b"---\n", b"...\n", b"~", b"null", b"-1", b"1e999", b".nan", b"99999999999999999999", b"0x7fffffffffffffffff",
    b"${X}",
    b"{{ x }}", b"http://[::1", b"https://a:99999", b"unix:///\0", b",0", b"@", b"%zz", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"true",
    b"2025-01-01",
)  # fmt: skip
VALUES = (
    "", "0s", "30", "1h", "-1s", "1e9", "true", "no", "null", "[]", "{}", "[a, 1, ~]", "{a: {b: [c]}}", "http://a",
    "[http://a, 'http://b,3']", "https://u:p@h/?q#f", "unix:///x", "tcp://b:1", "h2c://c", "udp://d:5", "/", "^/x(", "'*.y'", "127.0.0.1",
    "'[::1]:5'", "YQ==", '"\\x1b"', "0x10", "010", "1_0", ".5", "2025-01-01", "!!binary YQ==", "a,b", "x: y", "|\n    z", "&a b", "*a",
    "${HOME}", "[{timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /}}]",
)  # fmt: skip
SLOW = 2.0
"""Seconds of processor time that a config of a few kilobytes may take."""

EVERY = 25
"""One config of so many is printed in every format as well; that takes longer than reading it."""


def mutated(data: bytes, dice: random.Random) -> bytes:
    """The data with up to six bytes or lines changed, taken out, doubled or put in."""
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randrange(len(data) + 1), dice.choice((1, 1, 2, 8, 40))
        match dice.randrange(5):
            case 0:
                data = data[:at] + data[at + length :]
            case 1:
                data = data[:at] + dice.choice(STRANGE) + data[at:]
            case 2:
                data = data[:at] + dice.choice(STRANGE) + data[at + length :]
            case 3:
                data = data[:at] + data[at : at + length] * dice.choice((2, 30)) + data[at:]
            case _:
                lines = data.splitlines(keepends=True) or [b""]
                one = dice.randrange(len(lines))
                lines[one] = dice.choice((b"", lines[one] * 2, b"  " + lines[one], lines[one].lstrip(), lines[dice.randrange(len(lines))]))
                data = b"".join(lines)
    return data


def read(name: str, data: bytes, *, formats: bool = True) -> Config | None:
    """Everything that is done with a config before the first packet; None where it is refused."""
    try:
        config = load(name, text=data)
    except ConfigError as error:
        assert error.problems
        assert all(problem.place.line >= 1 and problem.message for problem in error.problems)
        return None
    for route, cluster in zip(config.routes, plan(config, HERE), strict=True):
        assert list(describe(route, cluster, config.settings))
    report = merge([lint(config)])
    for format in FORMATS if formats else ():
        with open(os.devnull, "w", encoding="utf-8") as out:
            write(report, format, out, Style(width=80))
    return config


# ---------------------------------------------------------------------------------------------------- where they come from


def samples(dice: random.Random) -> tuple[str, bytes]:
    """A sample config."""
    path = dice.choice(SAMPLES)
    return path.name, _bytes(path)


def pieces(dice: random.Random) -> tuple[str, bytes]:
    """One entry of a list of a sample: a config of a few lines is read many times faster than the whole."""
    return "c.yaml", dice.choice(_pieces())


def made(dice: random.Random) -> tuple[str, bytes]:
    """A few keys, known and unknown, with values that are sometimes meant."""
    keys = [f"{dice.choice(GLOBAL_NAMES)}: {dice.choice(VALUES)}\n" for _ in range(dice.randrange(3))]
    route = [f"    {dice.choice(ROUTE_NAMES)}: {dice.choice(VALUES)}\n" for _ in range(dice.randrange(6))]
    return "c.yaml", "".join([*keys, "routes:\n  - from: https://a.example.com\n    to: http://127.0.0.1:1\n", *route]).encode()


def other(dice: random.Random) -> tuple[str, bytes]:
    """The same in the other formats."""
    keys = {dice.choice(GLOBAL_NAMES): dice.choice(VALUES) for _ in range(dice.randrange(4))}
    route = {"from": "https://a.example.com", "to": "http://127.0.0.1:1", dice.choice(ROUTE_NAMES): dice.choice(VALUES)}
    match dice.randrange(3):
        case 0:
            return "c.json", json.dumps({**keys, "routes": [route]}).encode()
        case 1:
            lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
            return "c.toml", "\n".join([*lines, "[[routes]]", *(f"{key} = {json.dumps(value)}" for key, value in route.items())]).encode()
        case _:
            return ".env", "\n".join(f"{key.upper()}={value}" for key, value in keys.items()).encode()


def secretive(dice: random.Random) -> tuple[str, bytes]:
    """A config that holds secrets."""
    return "c.yaml", SECRETIVE


Source = Callable[[random.Random], tuple[str, bytes]]
SOURCES: tuple[Source, ...] = (pieces, pieces, pieces, made, made, made, made, other, other, secretive)
GLOBAL_NAMES, ROUTE_NAMES = tuple(sorted(GLOBAL_KEYS)), tuple(sorted(ROUTE_KEYS))
CANARIES = Canaries()
SECRETIVE = f"""\
shared_secret: {CANARIES["shared_secret"]}
cookie_secret: {CANARIES["cookie_secret"]}
idp_client_secret: '{CANARIES["idp_client_secret"]}'
databroker_storage_connection_string: postgres://u:{CANARIES["database"]}@db/x
routes:
- from: https://a.example.com
  to: https://u:{CANARIES["password"]}@a.test/?t={CANARIES["query"]}
  set_request_headers:
    authorization: Bearer {CANARIES["authorization"]}
  kubernetes_service_account_token: {CANARIES["token"]}
  tls_client_key: {CANARIES["key"]}
""".encode()


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _pieces() -> tuple[bytes, ...]:
    found = []
    for path in SAMPLES:
        if path.suffix == ".yaml":
            head, *parts = re.split(rb"(?m)^(?=  - )", _bytes(path))
            found += [b"routes:\n" + part for part in parts]
            found += [head + part for part in parts[:2] if len(head) < 500]
    return tuple(found)


# ------------------------------------------------------------------------------------------------------------- the loop


@dataclass(frozen=True)
class Broken:
    """One config that broke the rule, and how."""

    kind: str
    name: str
    data: bytes
    said: str


def tried(number: int, seed: int) -> Broken | None:
    """The config of this number: what is wrong with how it was taken."""
    dice = random.Random(f"{seed}/{number}")
    name, data = (samples if number % 400 == 0 else dice.choice(SOURCES))(dice)
    changed = mutated(data, dice)
    began = time.process_time()
    try:
        read(name, changed, formats=number % EVERY == 0)
        told = said(name, changed) if data is SECRETIVE else ""
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        return Broken(f"{type(error).__name__} at {Path(at.filename).name}:{at.lineno}", name, changed, repr(error)[:200])
    leaked = [one for one in CANARIES.found(told) if _in_its_place(one, changed)]
    if leaked:
        return Broken(f"leak of {leaked[0]}", name, changed, told[:300])
    if (took := time.process_time() - began) > SLOW:
        return Broken("slow", name, changed, f"{took:.1f} s")
    return None


def _in_its_place(name: str, data: bytes) -> bool:
    """Does the secret stand where it stood? What a mutation makes of it elsewhere (a host, a key) may be anything."""
    canary = CANARIES[name].encode()
    at = SECRETIVE.index(canary)
    before, after = SECRETIVE[at - 3 : at], SECRETIVE[at + len(canary) : at + len(canary) + 1]
    return data.count(before + canary + after) == data.count(canary[:4]) == data.count(canary[-4:]) > 0


def said(name: str, data: bytes) -> str:
    """Everything that would be told of a config."""
    try:
        config = load(name, text=data)
    except ConfigError as error:
        return str(error) + repr([problem.facts for problem in error.problems])
    listed = [list(describe(route, cluster, config.settings)) for route, cluster in zip(config.routes, plan(config, HERE), strict=True)]
    return repr(config.problems) + repr(listed)


def fuzz(count: int, seed: int, seconds: float) -> Iterator[tuple[int, Broken | None]]:
    """Try so many, for so long."""
    until = time.monotonic() + seconds
    for number in range(count):
        yield number, tried(number, seed)
        if time.monotonic() > until:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=5000, help="configs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long")
    asked = parser.parse_args()
    began, done, kinds = time.monotonic(), 0, dict[str, Broken]()
    for number, broken in fuzz(asked.n, asked.seed, asked.seconds):
        done = number + 1
        if broken is not None and (broken.kind not in kinds or len(broken.data) < len(kinds[broken.kind].data)):
            kinds[broken.kind] = broken
            print(f"{number}: {broken.kind}: {broken.name} {broken.data!r}: {broken.said}", flush=True)
        if done % 50_000 == 0:
            print(f"{done} configs, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{done} configs, seed {asked.seed}, {time.monotonic() - began:.0f} s, {memory} MB at most: {len(kinds)} kinds of defects")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
