"""Reports made by hand: small factories, and the cases that every format has to show well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from pomprobe.model import (
    CircuitBreakers,
    Cluster,
    Discovery,
    DNSSettings,
    Endpoint,
    EndpointOutcomes,
    EnvoyReply,
    Fact,
    Failure,
    Finding,
    ForecastEntry,
    HealthCheck,
    Outcome,
    Place,
    Protocol,
    Report,
    Request,
    Retries,
    Route,
    RouteKind,
    RouteReport,
    Rule,
    Severity,
    StageName,
    Status,
    Suppressed,
    Timer,
    Timers,
    Upstream,
    UpstreamOutcomes,
    UpstreamTLS,
    Verdict,
)
from pomprobe.record import replace

REFUSED = EnvoyReply(
    503,
    "UF",
    "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
    "upstream_reset_before_response_started",
)
EXPIRED = EnvoyReply(
    503,
    "UF",
    "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:"
    "CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_X509_verify_cert:_certificate_verification_error_at_depth_0:"
    "_certificate_has_expired:TLS_error_end}",
    "upstream_reset_before_response_started",
)
NO_HOST = EnvoyReply(503, "UH", "no_healthy_upstream", "no_healthy_upstream")
OK = EnvoyReply(200, "-", "via_upstream", "via_upstream")
HOSTILE = "<script>alert(1)</script>\x1b[31m\x9b0m::error title=x::y ]]>\r\n\u202eevil\u2066 \"'`|&;%0A{{x}} \udc80\x00\ud83d"
"""What a name, a header or a certificate may try on a terminal, a log, a page, an XML file."""


def place(line: int = 3, path: str = "routes[0]", file: str = "pomerium.yaml") -> Place:
    return Place(file, line, 5, path)


def rule(code: str, name: str, stage: StageName, severity: Severity = Severity.ERROR, title: str = "") -> Rule:
    return Rule(code, name, stage, title or name, severity, {}, None, "", (), ("https://www.pomerium.com/docs/reference/routes/to",))


def upstream(url: str = "http://app:8080", *, host: str = "app", port: int = 8080, weight: int | None = None, line: int = 4) -> Upstream:
    scheme = url.partition(":")[0]
    return Upstream(url, scheme, host, port, True, "", weight, place(line, "routes[0].to[0]"))


def route(
    name: str = "app", *, line: int = 3, upstreams: Sequence[Upstream] = (), kind: RouteKind = RouteKind.HTTP, serves: str = ""
) -> Route:
    return Route(name, 0, kind, f"https://{name}.example.com", f"{name}.example.com", tuple(upstreams), place(line), serves=serves)


def cluster(route: Route, *, health_checks: tuple[HealthCheck, ...] = ()) -> Cluster:
    tls = tuple(
        UpstreamTLS(u.host, u.host, False, b"", "/etc/ssl/certs/ca-certificates.crt + certificate_authority", ("h2", "http/1.1"))
        if u.scheme == "https"
        else None
        for u in route.upstreams
    )
    return Cluster(
        f"route-{route.name}",
        route,
        route.upstreams,
        Discovery.STRICT_DNS,
        Protocol.AUTO,
        tls,
        Timers(keys={"connect": "always 10s", "route": "default_upstream_timeout", "idle": "stream_idle_timeout (Envoy's default)"}),
        Request(
            "GET", "/", f"{route.upstreams[0].host}:{route.upstreams[0].port}", (("authorization", "Bearer SECRET"), ("accept", "*/*"))
        ),
        health_checks,
        50,
        "ROUND_ROBIN",
        CircuitBreakers(),
        DNSSettings(),
        "",
    )


def dns(addresses: Sequence[str] = ("10.0.0.2",), elapsed: float = 0.003, name: str = "app") -> Outcome:
    facts: dict[str, Fact] = {
        "name": name,
        "family": "V4_PREFERRED",
        "resolvers": ("10.0.0.53:53",),
        "addresses": tuple(addresses),
        "source": "dns",
    }
    return Outcome(StageName.DNS, Status.OK, facts=facts, elapsed=elapsed)


def ok(stage: StageName, endpoint: Endpoint, elapsed: float, **facts: Fact) -> Outcome:
    return Outcome(stage, Status.OK, endpoint, facts=facts, elapsed=elapsed)


def failed(
    stage: StageName,
    endpoint: Endpoint | None,
    failure: Failure,
    elapsed: float = 0.0004,
    *,
    timer: Timer | None = None,
    error: str = "",
    **facts: Fact,
) -> Outcome:
    return Outcome(stage, Status.FAILING, endpoint, failure, timer, facts, elapsed, error)


def verdict(
    rule: Rule,
    title: str,
    *,
    means: EnvoyReply | None,
    upstream: Upstream | None = None,
    endpoint: Endpoint | None = None,
    why: str = "",
    fixes: Sequence[str] = (),
    at: Place | None = None,
    severity: Severity | None = None,
) -> Verdict:
    where = at or (upstream.place if upstream else place())
    return Verdict(rule, title, why, tuple(fixes), rule.stage, upstream, endpoint, means, where, severity=severity or rule.severity)


CONNECTION_REFUSED = rule("TCP101", "connection-refused", StageName.TCP)
CERTIFICATE_EXPIRED = rule("TLS102", "certificate-expired", StageName.TLS)
NAME_NOT_FOUND = rule("DNS101", "name-not-found", StageName.DNS)
EXPIRES_SOON = rule("TLS201", "certificate-expires-soon", StageName.TLS, Severity.WARNING)
APP_REFUSAL = rule("HTTP301", "app-refusal", StageName.HTTP, Severity.INFO)
OUTER_CAP = rule("ANY901", "not-known", StageName.TCP, Severity.INFO)
WRONG_DURATION = rule("CFG101", "duration-wrong", StageName.CONFIG)


def refused_verdict(to: Upstream, endpoint: Endpoint) -> Verdict:
    return verdict(
        CONNECTION_REFUSED,
        f"Nothing listens on {endpoint}",
        means=REFUSED,
        upstream=to,
        endpoint=endpoint,
        why=f"The machine answered at once that no process listens on port {endpoint.port}. Envoy does not try the next address.",
        fixes=(
            f"Start the app on {endpoint}, or let it listen on 0.0.0.0 instead of 127.0.0.1.",
            f"If the port is wrong, correct `to: {to.url}`.",
        ),
    )


def healthy(name: str = "wiki", *, status: int = 200, line: int = 9, seconds: float = 0.085) -> RouteReport:
    """One endpoint that answers well, over TLS."""
    to = upstream(f"https://{name}:8443", host=name, port=8443, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    at = Endpoint("10.0.0.9", 8443)
    outcomes = (
        ok(StageName.TCP, at, 0.0004),
        ok(
            StageName.TLS,
            at,
            0.012,
            tls_version="TLSv1.3",
            cipher="TLS_AES_128_GCM_SHA256",
            alpn="h2",
            subject=f"CN={name}",
            issuer="CN=Corp CA",
            sans=(name,),
            not_before="2026-09-01T00:00:00Z",
            not_after="2027-09-01T00:00:00Z",
            days_left=280,
            chain_length=2,
            sni=name,
        ),
        ok(StageName.HTTP, at, seconds, status=status, protocol="HTTP/2", first_byte=seconds * 0.9, body_bytes=1234),
    )
    reply = replace(OK, status=status)
    verdicts: tuple[Verdict, ...] = ()
    if 400 <= status < 500:
        refusal = verdict(
            APP_REFUSAL,
            f"The app itself answers {status}",
            means=reply,
            upstream=to,
            endpoint=at,
            why="The probe carries no identity.",
            fixes=("Nothing, if users must log in to the app.",),
        )
        verdicts = (refusal,)
    return RouteReport(
        r,
        cluster(r),
        Status.OK,
        (ForecastEntry(1.0, reply),),
        verdicts,
        (UpstreamOutcomes(to, (dns(("10.0.0.9",), name=name),), (EndpointOutcomes(at, outcomes),)),),
    )


def refusing(
    name: str = "app",
    *,
    line: int = 3,
    dead: Sequence[str] = ("10.0.0.2", "10.0.0.3"),
    alive: Sequence[str] = ("10.0.0.4",),
    host: str = "",
) -> RouteReport:
    """An upstream of which some addresses refuse."""
    to = upstream(f"http://{host or name}:8080", host=host or name, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    probed, verdicts = [], []
    for address in dead:
        at = Endpoint(address, 8080)
        outcome = failed(StageName.TCP, at, Failure.CONNECTION_REFUSED, error="[Errno 111] Connection refused")
        probed.append(EndpointOutcomes(at, (outcome, skipped(StageName.HTTP, at))))
        verdicts.append(refused_verdict(to, at))
    for address in alive:
        at = Endpoint(address, 8080)
        probed.append(
            EndpointOutcomes(
                at, (ok(StageName.TCP, at, 0.0004), ok(StageName.HTTP, at, 0.085, status=200, protocol="HTTP/1.1", first_byte=0.08))
            )
        )
    total = len(probed)
    forecast = [ForecastEntry(len(dead) / total, REFUSED, "TCP101")]
    if alive:
        forecast.append(ForecastEntry(len(alive) / total, OK))
    return RouteReport(
        r,
        cluster(r),
        Status.FAILING,
        tuple(forecast),
        tuple(verdicts),
        (UpstreamOutcomes(to, (dns([*dead, *alive], name=host or name),), tuple(probed)),),
    )


def skipped(stage: StageName, at: Endpoint | None) -> Outcome:
    return Outcome(stage, Status.SKIPPED, at)


def expired(name: str = "billing", *, line: int = 20) -> RouteReport:
    """A certificate that has expired."""
    to = upstream(f"https://{name}.internal", host=f"{name}.internal", port=443, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    at = Endpoint("10.0.0.7", 443)
    tls = failed(
        StageName.TLS,
        at,
        Failure.CERTIFICATE_REJECTED,
        0.011,
        error="certificate has expired",
        verify_code=10,
        reason="certificate_has_expired",
        depth=0,
        subject=f"CN={name}.internal",
        issuer="CN=Corp CA",
        sans=(f"{name}.internal",),
        not_before="2025-10-01T00:00:00Z",
        not_after="2026-10-01T00:00:00Z",
        days_left=-52,
        tls_version="TLSv1.3",
        chain_length=2,
    )
    v = verdict(
        CERTIFICATE_EXPIRED,
        "The upstream's certificate has expired",
        means=EXPIRED,
        upstream=to,
        endpoint=at,
        why="Envoy checks the dates of every certificate of the chain.",
        fixes=(f"Renew the certificate on {at}; it expired on 2026-10-01.", "Reload the server so that it sends the new one."),
    )
    outcomes = (ok(StageName.TCP, at, 0.0005), tls, skipped(StageName.HTTP, at))
    return RouteReport(
        r,
        cluster(r),
        Status.FAILING,
        (ForecastEntry(1.0, EXPIRED, "TLS102"),),
        (v,),
        (UpstreamOutcomes(to, (dns(("10.0.0.7",), name=to.host),), (EndpointOutcomes(at, outcomes),)),),
    )


def nameless(name: str = "grafana", *, line: int = 30) -> RouteReport:
    """A name that DNS does not know."""
    to = upstream(f"http://{name}-svc:3000", host=f"{name}-svc", port=3000, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    outcome = failed(
        StageName.DNS, None, Failure.NAME_NOT_FOUND, 0.004, name=to.host, rcode="NXDOMAIN", resolvers=("10.0.0.53:53",), error="NXDOMAIN"
    )
    v = verdict(
        NAME_NOT_FOUND,
        f"DNS knows no name {to.host}",
        means=NO_HOST,
        upstream=to,
        why="Every resolver answered NXDOMAIN.",
        fixes=(f"Correct the name in `to: {to.url}`.",),
    )
    return RouteReport(
        r, cluster(r), Status.FAILING, (ForecastEntry(1.0, NO_HOST, "DNS101"),), (v,), (UpstreamOutcomes(to, (outcome,), ()),)
    )


def expiring(name: str = "vault", *, line: int = 40) -> RouteReport:
    """All is well, but not for long."""
    report = healthy(name, line=line)
    to = report.upstreams[0].upstream
    at = report.upstreams[0].endpoints[0].endpoint
    v = verdict(
        EXPIRES_SOON,
        "The certificate expires in 9 days",
        means=None,
        upstream=to,
        endpoint=at,
        why="Nobody renewed it.",
        fixes=(f"Renew the certificate on {at} before 2026-12-01.",),
    )
    return replace(report, status=Status.WARNING, verdicts=(v,))


def undetermined(name: str = "slow", *, line: int = 50) -> RouteReport:
    """Our own cap ended the wait."""
    to = upstream(f"http://{name}:80", host=name, port=80, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    at = Endpoint("10.0.0.66", 80)
    outcome = Outcome(StageName.TCP, Status.UNDETERMINED, at, Failure.NOT_KNOWN, Timer.MAX_WAIT, {"limit": "--max-wait 2s"}, 2.0)
    v = verdict(
        OUTER_CAP,
        "Not known: --max-wait ended the wait",
        means=None,
        upstream=to,
        endpoint=at,
        why="Envoy would have waited 10 s.",
        fixes=("Raise --max-wait above 10s.",),
    )
    return RouteReport(
        r,
        cluster(r),
        Status.UNDETERMINED,
        (),
        (v,),
        (UpstreamOutcomes(to, (dns(("10.0.0.66",), name=name),), (EndpointOutcomes(at, (outcome, skipped(StageName.HTTP, at))),)),),
    )


def redirect(name: str = "old", *, line: int = 60) -> RouteReport:
    """A route that Envoy answers itself."""
    serves = "answers with a redirect to https://new.example.com"
    r = route(name, line=line, kind=RouteKind.REDIRECT, serves=serves)
    return RouteReport(r, None, Status.SKIPPED, (), (), (), (Outcome(StageName.CONFIG, Status.SKIPPED, facts={"reason": serves}),))


def bug(name: str = "odd", *, line: int = 70) -> RouteReport:
    """A defect of pomprobe itself."""
    to = upstream(f"http://{name}:80", host=name, port=80, line=line + 1)
    r = route(name, line=line, upstreams=(to,))
    at = Endpoint("10.0.0.67", 80)
    outcome = Outcome(
        StageName.TCP, Status.BUG, at, Failure.BUG, None, {"bug": "ZeroDivisionError"}, 0.0, "ZeroDivisionError: division by zero"
    )
    v = verdict(
        rule("ANY999", "bug", StageName.TCP),
        "A defect of pomprobe, not of the upstream",
        means=None,
        upstream=to,
        endpoint=at,
        why="ZeroDivisionError",
        fixes=("Report it.",),
        severity=Severity.INFO,
    )
    return RouteReport(
        r,
        cluster(r),
        Status.UNDETERMINED,
        (),
        (v,),
        (UpstreamOutcomes(to, (dns(("10.0.0.67",), name=name),), (EndpointOutcomes(at, (outcome,)),)),),
    )


def finding(message: str = 'time: missing unit in duration "30"', *, severity: Severity = Severity.ERROR, line: int = 3) -> Finding:
    return Finding(WRONG_DURATION, severity, message, ("Write `timeout: 30s`.",), place(line, "routes[0].timeout"))


def report(*routes: RouteReport, findings: Sequence[Finding] = (), interrupted: bool = False) -> Report:
    return Report("pomerium.yaml", "2026-11-22T07:00:00Z", 1.234, tuple(findings), routes, interrupted)


def all_well() -> Report:
    return report(healthy("wiki"), healthy("git", line=12, status=302), healthy("login", line=15, status=401))


def one_failure() -> Report:
    return report(healthy("wiki"), refusing())


def everything() -> Report:
    """One of each, with a config problem."""
    return report(
        healthy("wiki"),
        refusing(),
        expired(),
        nameless(),
        expiring(),
        undetermined(),
        redirect(),
        bug(),
        healthy("login", line=80, status=401),
        findings=(finding(), finding("unknown key `tiemout`", severity=Severity.WARNING, line=90)),
    )


@cache
def many() -> Report:
    """200 routes, 40 of them failing: 20 on one dead host, 12 with an expired certificate, 8 without a name."""
    routes: list[RouteReport] = []
    for i in range(200):
        line = 3 + 6 * i
        match i % 5, i // 5:
            case 0, n if n < 20:
                routes.append(refusing(f"shop-{i}", line=line, dead=("10.0.0.2",), alive=(), host="shop"))
            case 0, n if n < 32:
                routes.append(expired(f"billing-{i}", line=line))
            case 0, _:
                routes.append(nameless(f"grafana-{i}", line=line))
            case _:
                routes.append(healthy(f"svc-{i}", line=line, seconds=0.01 + i / 1000))
    return report(*routes)


def hostile() -> Report:
    """Every string that someone else wrote is an attempt."""
    to = replace(upstream(), url=f"http://{HOSTILE}:80", host=HOSTILE)
    where = Place(f"dir/{HOSTILE}.yaml", 3, 5, f"routes[0].{HOSTILE}")
    r = replace(route(HOSTILE, upstreams=(to,)), from_url=f"https://{HOSTILE}", place=where)
    at = Endpoint("10.0.0.2", 8080)
    reply = replace(REFUSED, response_code_details=f"upstream_reset{{{HOSTILE}}}")
    tls = failed(
        StageName.TLS,
        at,
        Failure.NAME_MISMATCH,
        error=HOSTILE,
        subject=f"CN={HOSTILE}",
        issuer=HOSTILE,
        sans=(HOSTILE, HOSTILE),
        not_after="2026-10-01T00:00:00Z",
        days_left=-1,
    )
    outcomes = (ok(StageName.TCP, at, 0.001, source_address=HOSTILE), tls)
    v = verdict(
        replace(CERTIFICATE_EXPIRED, see=(f"javascript:{HOSTILE}",)),
        f"Title {HOSTILE}",
        means=reply,
        upstream=to,
        endpoint=at,
        why=f"Why {HOSTILE}",
        fixes=(f"Fix {HOSTILE}",),
        at=where,
    )
    bad = RouteReport(
        r,
        cluster(r),
        Status.FAILING,
        (ForecastEntry(1.0, reply, "TLS102", HOSTILE),),
        (v,),
        (UpstreamOutcomes(to, (dns((HOSTILE,)),), (EndpointOutcomes(at, outcomes),)),),
    )
    skip = replace(redirect(), route=replace(route(f"s{HOSTILE}", kind=RouteKind.REDIRECT, serves=HOSTILE), place=where))
    return replace(report(bad, skip, findings=(replace(finding(HOSTILE), place=where, fixes=(HOSTILE,)),)), config=HOSTILE)


def known() -> Report:
    """Findings that were set aside: a problem of the config, and one of two of a route."""
    failing = refusing()
    aside = replace(failing, verdicts=failing.verdicts[1:], suppressed=(Suppressed(failing.verdicts[0], f"--suppress {HOSTILE}"),))
    return replace(report(aside, healthy()), suppressed=(Suppressed(finding(), "baseline"),))


def weighted(name: str = "shop", *, line: int = 3) -> RouteReport:
    """Two upstreams with weights and a health check: one drops the SYN, the other answers two of three requests."""
    first = upstream("https://a:443", host="a", port=443, weight=90, line=line + 1)
    second = upstream("http://b:80", host="b", port=80, weight=10, line=line + 2)
    r = route(name, line=line, upstreams=(first, second))
    check = HealthCheck("http", 1.0, 5.0, 3, 2, path="/healthz")
    built = replace(
        cluster(r, health_checks=(check, replace(check, checker="tcp"))),
        timers=Timers(route=None, idle=None, max_duration=60.0, keys={"route": "timeout: 0s", "max_duration": "timeout_write"}),
        source_address="192.0.2.9",
        retries=Retries(2, ("5xx", "reset")),
        refusals=("Multiple health checks not supported",),
        tls=(UpstreamTLS("a", "a", True, None, "no CA bundle on this machine", (), client_cert=b"PEM"), None),
    )
    silent, alive = Endpoint("10.0.0.2", 443), Endpoint("2001:db8::3", 80)
    timeout = EnvoyReply(503, "UF", "upstream_reset_before_response_started{connection_timeout}", "upstream_reset_before_response_started")
    dropped = failed(StageName.TCP, silent, Failure.CONNECT_TIMEOUT, 10.0, timer=Timer.CONNECT)
    answered = (ok(StageName.TCP, alive, 0.001), ok(StageName.HTTP, alive, 0.2, status=200, server="", keep_alive=True))
    reset = (ok(StageName.TCP, alive, 0.001), failed(StageName.HTTP, alive, Failure.CLOSED, 0.3, reset=True))
    sick = failed(StageName.HEALTH, alive, Failure.HEALTH_STATUS, 0.01, status=404, expected="200")
    verdicts = (
        verdict(
            rule("TCP201", "connect-timeout", StageName.TCP),
            "Nobody answers on 10.0.0.2:443",
            means=timeout,
            upstream=first,
            endpoint=silent,
        ),
        verdict(
            rule("HC101", "health-status", StageName.HEALTH), "The check gets 404", means=None, upstream=second, severity=Severity.WARNING
        ),
    )
    forecast = (ForecastEntry(0.9, timeout, "TCP201", "per client address: all or nothing"), ForecastEntry(0.1, OK))
    upstreams = (
        UpstreamOutcomes(first, (dns(("10.0.0.2",), name="a"),), (EndpointOutcomes(silent, (dropped, skipped(StageName.TLS, silent))),)),
        UpstreamOutcomes(second, (dns(("2001:db8::3",), name="b"),), (EndpointOutcomes(alive, (*answered, sick), (reset, answered)),)),
    )
    return RouteReport(r, built, Status.FAILING, forecast, verdicts, upstreams)


def ours() -> Report:
    """What kept us from knowing: a deadline, nothing at all, an error of ours."""
    late = undetermined("late")
    plain = replace(late.upstreams[0].endpoints[0].outcomes[0], facts={}, timer=Timer.DEADLINE)
    bare = replace(plain, timer=None, failure=Failure.TRUST_UNAVAILABLE)
    probed = [replace(late.upstreams[0], endpoints=(EndpointOutcomes(Endpoint("10.0.0.66", 80), (o,)),)) for o in (plain, bare)]
    routes = [replace(late, route=route("late", line=i), verdicts=(), upstreams=(u,)) for i, u in enumerate(probed)]
    return report(*routes, replace(late, verdicts=(), upstreams=()), replace(redirect(), outcomes=()))


CASES: dict[str, Callable[[], Report]] = {
    "weighted": lambda: report(weighted()),
    "ours": ours,
    "known": known,
    "all_well": all_well,
    "one_failure": one_failure,
    "everything": everything,
    "many": many,
    "hostile": hostile,
    "nothing": report,
}
