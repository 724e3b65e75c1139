"""docs/conformance.md: every fault, what Envoy answered and what pomprobe predicts, and how well the two agree.

    python -m tools.conformance [--check]     writes the page from tests/data, or says whether it is stale

The forecasts themselves are compared with the same data by tests/envoy (make check), and with live Envoys by `make conformance`.
`make conformance-table` measures the agreement anew (tests/data/agreement.json).
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from tools.answers import evidence, faults  # noqa: E402

from envoy.scenes.rows import TRUTH, rows  # noqa: E402
from envoy.variants import VARIANTS  # noqa: E402
from envoy.variants.catalogue import LIMITS, LIMITS_OF  # noqa: E402
from pomprobe.catalog import load  # noqa: E402

if TYPE_CHECKING:
    from envoy.scenes.rows import Row

PAGE = ROOT / "docs" / "conformance.md"
MEASURED_ROWS = ROOT / "tests" / "data" / "measured.json"
MEASURED = ROOT / "tests" / "data" / "agreement.json"
VERSION = "1.37"
SHORT = (
    ("upstream_reset_before_response_started", "RB"),
    ("upstream_reset_after_response_started", "RA"),
    (":SSL_routines:OPENSSL_internal:", ":…:"),
)

UNREAD = (
    "- certificates in TLS 1.3 that Envoy's BoringSSL reads and the OpenSSL of this machine does not, such as one with an attribute of a "
    "name that is no text (tag 0x81): undetermined, since what the server says behind them is encrypted, and no forecast (1 of 5000 "
    "fuzzed chains, most of which are damaged on purpose)."
)
OVERTAKEN = (
    "- HTTP/2 that is wrong twice in one packet: which of the two Envoy tells is forecast otherwise in 2 of 40000 fuzzed exchanges (20000 "
    "with each Envoy, of other seeds than those above)."
)
JOINED = (
    "- a request that waits for the connection of an earlier one and ends with it, sooner than one of its own would have: with retries it "
    "goes on to the next host, which is forecast for none of them (one random route, 2 of its 12 requests). Two timers of the same length "
    "end in any order (one random route)."
)


def page() -> Iterator[str]:
    """The page, line by line."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    yield from ("# Agreement with Envoy", "", "<!-- Written by tools/conformance.py: change that and run `make docs`. -->", "")
    yield f"{len(rows())} faults were recorded by hand, and {len(VARIANTS)} more that lie next to them. Each is an upstream that misbehaves"
    yield "on loopback. A real Envoy, configured as Pomerium configures it, answered it; pomprobe forecasts the answer without one."
    yield "A forecast agrees if status, response flags and response code details are the same word for word (addresses aside), with the"
    yield "same shares up to 0.15."
    yield from ("", "## Measured", "", "| what | agree |", "|---|---|")
    for told in measured["agreement"]:
        yield f"| {told['what']} | {told['agreed']} of {told['of']} ({told['agreed'] / told['of']:.2%}) |"
    known = [f"- `{name}`: {why}." for name, why in LIMITS.items()]
    for version, limits in LIMITS_OF.items():
        named = {why: ", ".join(f"`{name}`" for name in limits if limits[name] == why) for why in limits.values()}
        known += [f"- with Envoy {version}: {why} ({names})." for why, names in named.items()]
    known += [UNREAD, OVERTAKEN, JOINED]
    told = "Known limits, where the forecast differs from what Envoy does, or where there is none:"
    yield from ("", measured["how"], "", told, "", *known)
    yield from ("", "## The recorded faults", "")
    yield "RB is `upstream_reset_before_response_started`, RA `upstream_reset_after_response_started`. What Envoy 1.37 answered is what"
    yield "pomprobe predicts in every row: `tests/envoy/test_conformance.py` plays each of them and compares. Where 1.40 differs,"
    yield "it stands behind it."
    titles = {row["id"]: row["title"] for row in (*json.loads(TRUTH.read_text()), *json.loads(MEASURED_ROWS.read_text())["rows"])}
    for category in dict.fromkeys(row.category for row in rows().values()):
        yield from ("", f"### {category}", "", "| fault | Envoy answered, and pomprobe predicts |", "|---|---|")
        for row in rows().values():
            if row.category == category:
                yield f"| {_anchor(row.id)}{_cell(titles[row.id])}<br>`{row.id}` | {_answers(row)} |"
    further = json.loads(MEASURED_ROWS.read_text())["rows"]
    yield from ("", "## Further faults that rules rest on", "")
    played = sum("replayed" in row for row in further)
    yield f"{played} of {len(further)} that were measured for the catalogue are played again, to pomprobe and to a live Envoy,"
    yield "by `make conformance`; the others (six requests at once, a network of its own, an upgrade that a browser asks for …) were"
    yield "measured once, with the same Envoys; tests of `tests/causes/` and of the catalogue compare forecasts with what was written"
    yield "down."
    yield from ("", "| fault | Envoy answered |", "|---|---|")
    for name in sorted({name for rule in load().rules if not rule.retired for name in evidence([rule])} - rows().keys()):
        outcomes = faults()[name][1]
        title = titles.get(name, "a variant of a recorded fault")
        yield f"| {_anchor(name)}{_cell(title)}<br>`{name}` | {_told(outcomes.get(VERSION) or next(iter(outcomes.values())))} |"
    yield from ("", "## The variants", "", "Played by `tests/envoy/test_variants.py`; the names say what each does.", "")
    yield from ("| category | faults | answers |", "|---|---|---|")
    for category in sorted({row.category for row in VARIANTS.values()}):
        alike = [row for row in VARIANTS.values() if row.category == category]
        heads = Counter(head for row in alike for head in {_head(outcome) for outcome in row.outcomes.get(VERSION, ())})
        yield f"| {category} | {len(alike)} | {', '.join(f'{head} ({count})' for head, count in heads.most_common(8))} |"


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>'


def _answers(row: Row) -> str:
    old = row.expected(VERSION)
    new = row.expected("1.40")
    text = _told(old)
    return text if row.any or _told(new) == text else f"{text}<br>1.40: {_told(new)}"


def _told(outcomes: Sequence[Mapping[str, Any]]) -> str:
    shares = ["" if len(outcomes) == 1 else f"{100 * outcome['share']:.0f} % " for outcome in outcomes]
    return "<br>".join(f"{share}{o['status']} {o['response_flags']} `{_short(o)}`" for share, o in zip(shares, outcomes, strict=True))


def _short(outcome: Mapping[str, Any]) -> str:
    details = str(outcome["response_code_details"])
    for long, short in SHORT:
        details = details.replace(long, short)
    details = re.sub(r"remote_address:[^|}]*", "remote_address:…", details)
    return details.replace("|", "\\|") or "(none)"


def _head(outcome: Mapping[str, Any]) -> str:
    details = str(outcome["response_code_details"]).partition("{")[0]
    return f"{outcome['status']} {outcome['response_flags']} {details}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    text = "\n".join(page()) + "\n"
    if "--check" in sys.argv[1:]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{PAGE.relative_to(ROOT)} is stale: run `make docs`")
        return
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
