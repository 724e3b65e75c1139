"""Pomerium's own authorize service where it is another process: what keeps Envoy from reaching it hits every route (pure).

Envoy asks it before every request, and answers 503 ext_authz_error where it gets no answer (rows authz-down, own-authz-no-name …).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .diagnose import made_by_envoy
from .model import Fact, Failure, Problem, RouteReport, Severity, Status

KEYS = {"tls_upstream_server_name": "override_certificate_name", "tls_custom_ca_file": "certificate_authority_file"}
"""What routes have, and what Pomerium has for its own services."""

UNTRUSTED = (18, 19, 20, 21)
"""X509_V_ERR_ of a chain that ends at nobody who is trusted: a CA in the bundle mends it."""

ALL = 0.999


def problems(reports: Iterable[RouteReport]) -> tuple[Problem, ...]:
    """What is wrong with the ways to Pomerium's own services."""
    return tuple(problem for report in reports for problem in _problems(report))


def _problems(report: RouteReport) -> Iterator[Problem]:
    """The first of its failures: with several URLs Envoy leaves out those that fail (clusters.go, grpcHealthChecks), so all have to."""
    lost = sum(entry.share for entry in report.forecast if made_by_envoy(entry.reply))
    verdict = next((one for one in report.verdicts if one.severity is Severity.ERROR), None)
    urls = report.route.upstreams
    if report.status is not Status.FAILING or verdict is None or (len(urls) > 1 and lost < ALL):
        return
    url = verdict.upstream or urls[0]
    key = url.place.path.partition("[")[0]
    key = key if key.startswith("authorize") else "authorize_service_url"
    reason = verdict.title.removeprefix("The route's ")
    for theirs, ours in {"`to`": f"`{key}`", **KEYS}.items():
        reason = reason.replace(theirs, ours)
    untrusted = verdict.facts.get("verify_code") in UNTRUSTED
    mismatch = verdict.rule.when.get("failure") == Failure.NAME_MISMATCH
    facts: dict[str, Fact] = {
        "at": verdict.stage.value,
        "key": key,
        "url": url.url,
        "host": url.host,
        "reason": reason,
        "sans": verdict.facts.get("sans") if mismatch else None,
        "match_name": verdict.facts.get("match_name"),
        "issuer": verdict.facts.get("issuer") if untrusted else None,
    }
    who = "every request of every route" if lost >= ALL else f"{lost:.0%} of the requests of every route".replace("%", " %")
    message = f"Pomerium's authorize service: {reason}. Before each request Envoy asks it, so {who} gets 503 UAEX ext_authz_error"
    yield Problem(Failure.AUTHORIZE_UNREACHABLE, url.place, message, facts)
