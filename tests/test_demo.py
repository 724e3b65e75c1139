"""The demo: a route for each error of Pomerium's page, each forecast as a real Envoy answers it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import dns.message
import dns.rcode
import pytest

import pomprobe
from pomprobe.demo import check, comparison, upstreams
from pomprobe.demo import dns as nameserver
from pomprobe.demo.exhibits import EXHIBITS
from pomprobe.model import Report, StageName

# The headings of "Upstream connection errors" in Pomerium's troubleshooting page, and the four causes under the first.
PAGE = {
    "no_healthy_upstream",
    "upstream_max_stream_duration_reached",
    "upstream_per_try_timeout",
    "upstream_reset_after_response_started",
    "upstream_reset_before_response_started",
    "upstream_response_timeout",
    "via_upstream",
}
CAUSES = {"configuration or application code", "network or firewall settings", "DNS records", "failing health checks"}


def exists(path: Path) -> bool:
    return path.parent.exists()


@pytest.fixture(scope="module")
async def checked() -> tuple[Report, str]:
    out = io.StringIO()
    return await check(out), out.getvalue()


def test_every_error_of_the_page_has_a_route() -> None:
    """Each heading of Pomerium's page, and each cause that it names, is shown by an exhibit."""
    claims = [exhibit.page.partition(": ") for exhibit in EXHIBITS if exhibit.page]
    assert {code for code, _, _ in claims} == PAGE
    assert {cause for _, _, cause in claims if cause} == CAUSES


def test_every_error_of_the_page_is_what_some_route_gets() -> None:
    """All seven errors are forecast, each for an upstream that really causes it."""
    assert {exhibit.code for exhibit in EXHIBITS} == PAGE


async def test_each_exhibit_gets_the_answer_that_it_is_there_for(checked: tuple[Report, str]) -> None:
    """The forecast of each route starts with the exhibit's code; only the pair's answers differ from request to request."""
    report, _ = checked
    assert {route.route.name: route.forecast[0].reply.code for route in report.routes if route.route.name != "pair"} == {
        exhibit.name: exhibit.code for exhibit in EXHIBITS if exhibit.name != "pair"
    }
    shares = {route.route.name: tuple(entry.share for entry in route.forecast) for route in report.routes}
    assert shares.pop("pair") == (0.5, 0.5)
    assert set(shares.values()) == {(1.0,)}


async def test_the_details_are_those_of_a_real_envoy(checked: tuple[Report, str]) -> None:
    """Word for word what Envoy 1.37 answered to the same faults."""
    report, _ = checked
    before = "upstream_reset_before_response_started"
    first = {route.route.name: route.forecast[0].reply for route in report.routes if route.route.name not in ("pair", "unreachable")}
    assert {name: (reply.status, reply.response_flags, reply.response_code_details) for name, reply in first.items()} == {
        "healthy": (200, "-", "via_upstream"),
        "stopped": (503, "UF", before + "{remote_connection_failure|delayed_connect_error:_Connection_refused}"),
        "no-such-name": (503, "UH", "no_healthy_upstream"),
        "unhealthy": (503, "UH", "no_healthy_upstream"),
        "stream-duration": (504, "UMSDR", "upstream_max_stream_duration_reached"),
        "per-try": (504, "UT", "upstream_per_try_timeout"),
        "cut-body": (200, "UPE", "upstream_reset_after_response_started{protocol_error}"),
        "reset": (503, "UC", before + "{connection_termination}"),
        "slow": (504, "UT", "response_timeout"),
        "app-error": (500, "-", "via_upstream"),
        "other-name": (
            503,
            "UF",
            before + "{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:"
            "verify_cert_failed:_SAN_matcher:TLS_error_end}",
        ),
    }


async def test_every_failing_exhibit_has_a_verdict_with_a_fix(checked: tuple[Report, str]) -> None:
    """What fails is explained, and what to do about it is said."""
    report, _ = checked
    assert [route.route.name for route in report.routes if not any(verdict.fixes for verdict in route.verdicts)] == ["healthy"]


async def test_a_certificate_for_another_name_says_which_key_to_set(checked: tuple[Report, str]) -> None:
    """The first fix of a name mismatch is the key and its value, not a way around the check."""
    (verdict,) = (verdict for verdict in checked[0].problems if verdict.stage is StageName.TLS)
    assert "tls_upstream_server_name: wiki.internal" in verdict.fixes[0]


async def test_the_comparison_names_claim_and_answer(checked: tuple[Report, str]) -> None:
    """Below each claim of the page stands what users get."""
    lines = list(comparison(checked[0]))
    at = lines.index("\n  stopped (no_healthy_upstream: configuration or application code)")
    assert lines[at + 1].startswith("    100%  503 UF upstream_reset_before_response_started{")


async def test_the_config_is_shown(checked: tuple[Report, str]) -> None:
    """The config that is checked is printed, so that it can be tried with other tools."""
    assert "      from: https://slow.example.com\n" in checked[1]


async def test_nothing_is_left() -> None:
    """After the block there is no file, no listener and no further thread."""
    before = set(threading.enumerate())
    async with upstreams() as path:
        config = pomprobe.load(path)
        port = config.routes[0].upstreams[0].port
        assert exists(path)
    assert not exists(path)
    with pytest.raises(OSError, match="All connection attempts failed"):
        await anyio.connect_tcp("127.0.0.1", port)
    further = {thread.name for thread in set(threading.enumerate()) - before}
    assert {name for name in further if not name.startswith(("asyncio_", "AnyIO"))} == set()  # the event loop's own pools stay with it


PROGRAM = Path(sys.executable).with_name("pomprobe")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C in the middle: its directory is gone, and the exit code is the signal's."""
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([PROGRAM, "demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [] != list(tmp_path.iterdir())
        os.kill(process.pid, number)
        _, err = process.communicate()
    assert (128 + number, b"", []) == (process.returncode, err, list(tmp_path.iterdir()))


@pytest.mark.slow
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """One line, no traceback."""
    with open("/dev/full", "w") as full:
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        done = subprocess.run([PROGRAM, "demo"], env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "pomprobe: cannot write to standard output: No space left on device\n"
    assert (3, said, []) == (done.returncode, done.stderr, list(tmp_path.iterdir()))


def test_the_name_server_gives_every_address_of_a_name() -> None:
    """A query for the pair has an authoritative answer of two addresses, in any case of letters."""
    query = dns.message.make_query("Pair.demo.test", "A")
    response = dns.message.from_wire(nameserver.answer(query.to_wire()))
    assert query.is_response(response)
    assert [rr.to_text() for rr in response.answer[0]] == ["127.0.0.1", "127.0.0.2"]


def test_the_name_server_has_no_other_kind_of_record() -> None:
    """A query for an IPv6 address of the pair has an answer without records, and no error."""
    response = dns.message.from_wire(nameserver.answer(dns.message.make_query("pair.demo.test", "AAAA").to_wire()))
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


def test_other_names_do_not_exist() -> None:
    """Any other name is NXDOMAIN."""
    response = dns.message.from_wire(nameserver.answer(dns.message.make_query("app.demo.test", "A").to_wire()))
    assert response.rcode() == dns.rcode.NXDOMAIN
