"""The exchanges that the fuzzer found and that were mended: kept with what real Envoys answer; tests/envoy/test_fuzzed.py plays them again.

    python -m tools.fuzzing.kept PATH...     puts each to these Envoys, and writes what they answer into tests/data/fuzzed.json
    python -m tools.fuzzing.kept --add NAME KIND ENDING HEX     adds one; then record it
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from pomprobe.envoy.find import Binary, find
from pomprobe.model import EnvoyReply

from .lab import Lab, Scheme, Script, lab

DATA = Path(__file__).parent.parent.parent / "tests" / "data" / "fuzzed.json"
SCHEMES: Mapping[str, Scheme] = {"http1": "http", "http2": "h2c", "tls": "https", "chains": "https"}
Kept = dict[str, dict[str, Any]]
"""Name -> kind, ending, data (see `packed`), the answers by Envoy version, and `unlike`: versions whose answer is not forecast."""


def load() -> Kept:
    kept: Kept = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    return kept


def save(kept: Kept) -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(kept[name])}" for name in sorted(kept)]
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def script(one: Mapping[str, Any]) -> Script:
    """What the server says."""
    return Script(zlib.decompress(base64.b64decode(one["data"])), one["ending"])


def packed(data: bytes) -> str:
    """Compressed, in base64: some are headers of 60 KiB."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def words(reply: EnvoyReply | None) -> str:
    """Status, flags and details."""
    return "nothing" if reply is None else f"{reply.status} {reply.response_flags} {reply.response_code_details}"


async def answered(binary: Binary, scheme: Scheme, kept: Kept) -> dict[str, str]:
    """What this Envoy answers to each one of the scheme."""

    async def all_of(running: Lab) -> dict[str, str]:
        (worker,) = running.workers
        return {name: words(await running.answer(worker, script(one))) for name, one in kept.items() if SCHEMES[one["kind"]] == scheme}

    async with lab(binary, scheme, 1) as running:
        return await all_of(running)


def main() -> None:
    kept = load()
    if sys.argv[1:2] == ["--add"]:
        name, kind, ending, data = sys.argv[2:]
        kept[name] = {"kind": kind, "ending": ending, "data": packed(bytes.fromhex(data)), "answers": {}}
    else:
        for path in sys.argv[1:]:
            binary = find(path)
            for scheme in sorted(set(SCHEMES.values())):
                for name, told in anyio.run(partial(answered, binary, scheme, kept)).items():
                    kept[name]["answers"][binary.version.rpartition(".")[0]] = told
    save(kept)


if __name__ == "__main__":
    main()
