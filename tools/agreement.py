"""Measures how well pomprobe agrees with Envoy, and keeps the sums in tests/data/agreement.json, from which docs/conformance.md is written.

    python -m tools.agreement PATH...           the Envoys to ask; without one, the one that `pomprobe reproduce` would find
    python -m tools.agreement --fuzz PATH...    the fuzzer alone (ten minutes); the other sums stay as they are
    python -m tools.agreement --routes PATH...  the random routes alone (seven minutes for each), in the same way

Takes half an hour, and wants a machine that has nothing else to do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from pomprobe.envoy.find import Binary, find

ROOT = Path(__file__).parent.parent
MEASURED = ROOT / "tests" / "data" / "agreement.json"
CASES = 10_000
ROUTES = 500
ONLY = {"--fuzz": "fuzzed ", "--routes": "random routes"}
"""Option -> how the sums begin that it measures."""
KINDS = {"http1": "HTTP/1.1 responses", "http2": "HTTP/2 responses", "tls": "TLS handshakes", "chains": "certificate chains"}
HOW = (
    "`make conformance-table` measures it: each fault is put to a live Envoy (through `pomprobe reproduce`) and to pomprobe, and agrees if"
    " the forecast, the live answer and the recorded one are the same; and the same damaged bytes are given to an Envoy and to pomprobe's"
    " own stages (`make fuzz-envoy`). A random route has several faults, timers, retries, checks, rewrites and names at once (`make"
    " fuzz-routes`)."
)


def played(what: str, file: str, test: str, envoy: Path) -> dict[str, Any]:
    """Run one of the tests over every row: how many agreed, of how many."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.xml")
        environment = os.environ | {"POMPROBE_ENVOY": str(envoy)}
        command = [sys.executable, "-m", "pytest", f"tests/envoy/{file}", "-q", "-m", "", "-k", test, f"--junitxml={result}"]
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        cases = [case for case in ElementTree.parse(result).iter("testcase") if str(case.get("name")).startswith(f"{test}[")]
    good = [case for case in cases if all(case.find(word) is None for word in ("failure", "error", "skipped"))]
    return {"what": what, "agreed": len(good), "of": len(cases)}


def fuzzed(kind: str, envoy: Binary) -> list[dict[str, Any]]:
    """The sums of a run of the fuzzer: word for word, and at a glance."""
    command = [sys.executable, "-m", "tools.fuzz_envoy", "-n", str(CASES), "--small", "0", "--protocol", kind, "--envoy", str(envoy.path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    match = re.search(r"agreement: (\d+)/(\d+) .+? word for word, (\d+)/", answer.stdout)
    if match is None:
        raise SystemExit(f"{' '.join(command)} said:\n{answer.stdout}{answer.stderr}")
    what = f"fuzzed {KINDS[kind]}, Envoy {envoy.version}"
    glance = "accepted or refused" if kind == "chains" else "status, flags and code"
    return [
        {"what": f"{what}: word for word", "agreed": int(match[1]), "of": int(match[2])},
        {"what": f"{what}: {glance}", "agreed": int(match[3]), "of": int(match[2])},
    ]


def drawn(envoy: Binary) -> dict[str, Any]:
    """The sum of a run of random routes."""
    command = [sys.executable, "-m", "tools.fuzz_routes", "-n", str(ROUTES), "--envoy", str(envoy.path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    match = re.search(r"agreement: (\d+)/(\d+)", answer.stdout)
    if match is None:
        raise SystemExit(f"{' '.join(command)} said:\n{answer.stdout}{answer.stderr}")
    return {"what": f"{ONLY['--routes']}: live Envoy {envoy.version} and the forecast", "agreed": int(match[1]), "of": int(match[2])}


def main() -> None:
    """Measure everything, or what an option names."""
    only = [option for option in ONLY if option in sys.argv]
    envoys = [find(path) for path in sys.argv[1:] if path not in ONLY] or [find()]
    known: list[dict[str, Any]] = json.loads(MEASURED.read_text())["agreement"] if only else []
    sums = [told for told in known if not any(told["what"].startswith(ONLY[option]) for option in only)]
    for envoy in envoys if not only else ():
        for what, file in (("recorded faults", "test_conformance.py"), ("their variants", "test_variants.py")):
            sums.append(played(f"{what}: live Envoy {envoy.version}, its recording and the forecast", file, "test_live", envoy.path))
    if not only or "--routes" in only:
        sums += [drawn(envoy) for envoy in envoys]
    if not only or "--fuzz" in only:
        sums += [told for envoy in envoys for kind in KINDS for told in fuzzed(kind, envoy)]
    MEASURED.write_text(json.dumps({"agreement": sums, "how": HOW}, indent=1) + "\n")


if __name__ == "__main__":
    main()
