"""Secrets of a config, of the environment and of the mail server never leave the program, however it fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pomprobe.config import load
from pomprobe.model import ConfigError
from pomprobe.report import FORMATS
from robust.canaries import Canaries
from robust.running import run
from robust.threads import served
from servers.health import tls
from servers.http import Script, say, upstream
from servers.mail import Mailbox, mail_server

GLOBAL = (
    "shared_secret", "cookie_secret", "signing_key", "idp_client_secret", "certificate_key", "metrics_certificate_key",
    "metrics_basic_auth",
    "databroker_storage_connection_string", "autocert_eab_mac_key", "ssh_user_ca_key",
    "google_cloud_serverless_authentication_service_account",
)  # fmt: skip
"""Keys at the top level whose value is a secret text."""

CLOSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="module")
def ports() -> Iterator[list[int]]:
    """Upstreams of every kind: fine, failing, no HTTP at all, cut, refusing a certificate, TLS that is not trusted."""
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"
    scripts: tuple[Script, ...] = (
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        say(CLOSED),
        say(b"SSH-2.0-OpenSSH_9.6\r\n"),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", end="rst"),
        say(broken),
        say(end="fin"),
    )
    secure = tls("127.0.0.1")
    with served(*(lambda s=s: upstream(s) for s in scripts), lambda: upstream(say(CLOSED), secure)) as servers:
        yield [server.port for server in servers]


def pair(canaries: Canaries) -> tuple[str, str]:
    """A client certificate and its key, as a config holds them; each line of the key is looked for."""
    issued = trustme.CA().issue_cert("client.test")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    pem = issued.private_key_pem.bytes()
    encoded = base64.b64encode(pem).decode()
    for number, line in enumerate(pem.decode().splitlines()[1:-1]):
        canaries.keep(f"line {number} of tls_client_key", line[20:])  # keys of one curve begin alike
    canaries.keep("tls_client_key", encoded[120:])
    certificate = issued.cert_chain_pems[0].bytes()
    canaries.show(certificate.decode())
    return base64.b64encode(certificate).decode(), encoded


def secrets(canaries: Canaries) -> dict[str, Any]:
    """Every global key that holds a secret."""
    return {
        **{key: canaries[key] for key in GLOBAL},
        "certificates": [{"cert": "/none.pem", "key": canaries["certificates[].key"]}],
        "otel_exporter_otlp_headers": [f"api-key={canaries['otel_exporter_otlp_headers']}"],
        "otel_exporter_otlp_traces_headers": [f"authorization=Bearer {canaries['otel_exporter_otlp_traces_headers']}"],
        "otel_resource_attributes": [f"key={canaries['otel_resource_attributes']}"],
        "idp_provider_url": f"https://user:{canaries['idp_provider_url']}@idp.example.com",
        "databroker_service_url": f"https://user:{canaries['databroker_service_url']}@databroker.example.com",
        "idp_request_params": {"login_hint": canaries["idp_request_params"]},
        "ssh_host_keys": [canaries["ssh_host_keys"]],
        "downstream_mtls": {"ca": canaries["downstream_mtls"]},
        "blob_storage": {"bucket_uri": f"s3://{canaries['blob_storage']}@bucket"},
        "set_response_headers": {"x-key": canaries["set_response_headers"]},
        "identity_providers": [{"client_secret": canaries["identity_providers"]}],
        "my_own_password": canaries["unknown key"],
    }


def route(canaries: Canaries, name: str, to: str | list[str], **more: Any) -> dict[str, Any]:
    """A route full of secrets."""
    return {
        "from": f"https://{name}.example.com",
        "name": name,
        "to": to,
        "set_request_headers": {
            "Authorization": f"Bearer {canaries[f'{name} Authorization']}",
            "X-Api-Key": canaries[f"{name} X-Api-Key"],
            "Cookie": f"session={canaries[f'{name} Cookie']}",
        },
        "set_response_headers": {"x-key": canaries[f"{name} set_response_headers"]},
        "idp_client_secret": canaries[f"{name} idp_client_secret"],
        "timeout": "1s",
        **more,
    }


def config(canaries: Canaries, ports: list[int], scheme: str = "http") -> dict[str, Any]:
    """A config with secrets everywhere, that Pomerium starts with."""
    certificate, key = pair(canaries)
    check = {
        "timeout": "1s", "interval": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1,
        "http_health_check": {"path": "/healthz", "request_headers_to_add": [{"header": {"key": "x", "value": canaries["check header"]}}]},
    }  # fmt: skip
    routes = [
        route(
            canaries,
            f"app{number}",
            f"http://u:{canaries[f'password {number}']}@127.0.0.1:{port}/?token={canaries[f'query {number}']}#{canaries['part']}",
            health_checks=[check],
        )
        for number, port in enumerate(ports[:-1])
    ]
    untrusted = route(canaries, "tls", f"https://127.0.0.1:{ports[-1]}", tls_client_cert=certificate, tls_client_key=key)
    skips = {**untrusted, "name": "skips", "from": "https://skips.example.com", "tls_skip_verify": True}
    speaks = route(canaries, "h2c", f"h2c://127.0.0.1:{ports[0]}")
    kubernetes = route(canaries, "k8s", f"https://127.0.0.1:{ports[-1]}", kubernetes_service_account_token=canaries["token"])
    return {**secrets(canaries), "routes": [*routes, untrusted, skips, speaks, kubernetes]}


@pytest.fixture
def file(tmp_path: Path, canaries: Canaries, ports: list[int]) -> Path:
    """The config with secrets everywhere."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config(canaries, ports)))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_no_secret_in_any_format(format: str, file: Path, canaries: Canaries) -> None:
    """check -v: none of them is in the report, to standard output or to a file, nor in what is said beside it."""
    target = file.with_name("report")
    ran = run("check", "-v", "-o", format, "-o", f"{format}={target}", str(file))
    assert ran.code in (1, 2, 3), ran.err
    assert ran.out
    assert [] == canaries.found(ran.all + target.read_text())


def test_no_secret_in_state_and_baseline(file: Path, canaries: Canaries) -> None:
    """What --state remembers, and what --on-change prints of it."""
    state = file.with_name("state.json")
    first = run("check", "-v", "--state", str(state), "--on-change", "-o", "text", "-o", f"json={file.with_name('base.json')}", str(file))
    again = run("check", "-v", "--state", str(state), "--on-change", "--baseline", str(file.with_name("base.json")), str(file))
    assert [] == canaries.found(first.all + again.all + state.read_text())


@pytest.mark.parametrize(
    "command",
    [
        ("list", "-v"),
        ("list", "-v", "-o", "json"),
        *(("lint", "-o", format) for format in FORMATS),
        ("reproduce", "--print-config"),
        ("reproduce", "--envoy", "/nonexistent"),
    ],
    ids=" ".join,
)
def test_no_secret_in_the_other_commands(command: tuple[str, ...], file: Path, canaries: Canaries) -> None:
    """list, lint, and the configuration that reproduce would give to Envoy."""
    ran = run(*command, str(file))
    assert ran.all.strip()
    assert [] == canaries.found(ran.all)


# ------------------------------------------------------------------------------------------ configs that are refused

SHAPES: dict[str, Callable[[str], Any]] = {
    "list": lambda c: [c],
    "mapping": lambda c: {c: c},
    "nested": lambda c: {"a": [{"b": c}]},
    "binary": lambda c: c.encode(),
    "star": lambda c: f"*{c}",
    "control": lambda c: f"{c}\n\x07",
    "brace": lambda c: "{" + c,
    "url": lambda c: f"https://{c}:{c}@[{c}/?{c}#{c}",
}
"""What a careless hand makes of a secret."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("format", ["yaml", "json"])
def test_no_secret_in_the_refusal_of_a_global_key(shape: str, format: str, tmp_path: Path) -> None:
    """Pomerium's own words repeat a value that it cannot use: not that of a secret key."""
    canaries = Canaries()
    top = {key: SHAPES[shape](canaries[key]) for key in secrets(Canaries())}
    text = yaml.safe_dump(top) if format == "yaml" else json.dumps(top, default=lambda b: b.decode())
    path = tmp_path / f"c.{format}"
    path.write_text(text)
    for ran in (run("lint", str(path)), run("check", "-v", "-o", "json", str(path))):
        assert "Traceback" not in ran.all
        assert [] == canaries.found(ran.all), ran.all


ROUTE_SECRETS = ("set_request_headers", "set_response_headers", "idp_client_secret", "kubernetes_service_account_token", "tls_client_key")


@pytest.mark.parametrize("key", ROUTE_SECRETS)
def test_no_secret_in_the_refusal_of_a_routes_key(key: str, tmp_path: Path) -> None:
    """The same for the secrets of a route."""
    canaries = Canaries()
    more: dict[str, Callable[[str], Any]] = {
        "text": lambda c: c, "header": lambda c: {"authorization": [c]}, "quoted": lambda c: f'"{c}"'
    }  # fmt: skip
    one = {"from": "https://a.example.com", "to": "http://127.0.0.1:1"}
    routes = [{**one, "name": shape, key: make(canaries[shape])} for shape, make in {**SHAPES, **more}.items()]
    path = tmp_path / "c.yaml"
    for some in ([one for one in routes if loads({"routes": [one]})], routes):
        path.write_text(yaml.safe_dump({"routes": some}))
        for args in (("lint",), ("check", "-v", "-o", "json", "--only", "dns"), ("list", "-v")):
            ran = run(*args, str(path))
            assert [] == canaries.found(ran.all), ran.all


BAD_URLS = (
    "http://user:{0}@app:80:80/", "http://user:{0}@/x", "http://user:{0}@[::1", "http://{0}@app:port", "http://user:{0} x@app", "//u:{0}@a",
    "user:{0}@app", "http://user:{0},x@app", "http://user:{0}#x@app", "http://user:{0}/x@app", "http://user:x{0}?y@app", "{0}@app:80",
    "http://app:port/?token={0}", "app/?token={0}", "app:80?token={0}", "http://app/%zz?token={0}", "http://app/?a=b,{0}", "http://app/?a=b&{0}",
    "http://user:{0}@127.0.0.1:1/#{0}", "https://app/%2f?{0}", "http://app/?t={0}#%zz",
    "http:///?token={0}", "://app?token={0}", "http://app#{0},0", "http://user:{0}%zz@app", "http://user:{0}\x01@app", "app:80#{0}", "h c://{0}@a",
    "http://${{USER}}:{0}@app", "tcp://user:{0}@app", "http://a?{0}@b", "http://user:p@{0}@app:x",
)  # fmt: skip




@pytest.mark.parametrize("key", ["to", "from"])
def test_no_secret_of_the_url_of_a_route(key: str, tmp_path: Path) -> None:
    """Userinfo and query of `to` and `from` are not in the words that refuse them, nor in what is told of those that are fine."""
    canaries = Canaries()
    routes = [
        {"name": f"r{number}", "from": "https://a.example.com", "to": "http://127.0.0.1:1", key: written.format(canaries[written])}
        for number, written in enumerate(BAD_URLS)
    ]
    path, ran = tmp_path / "c.yaml", []
    fine, refused = [one for one in routes if loads({"routes": [one]})], [one for one in routes if not loads({"routes": [one]})]
    assert fine
    for some in (fine, refused):
        path.write_text(yaml.safe_dump({"routes": some}))
        commands = [("lint",), ("check", "-v", "-o", "json", "--only", "dns"), ("check", "-v", "--only", "dns")]
        ran += [run(*args, str(path)) for args in (*commands, ("list", "-v"), ("reproduce", "--print-config"))]
    assert [] == canaries.found("".join(one.all for one in ran))


def loads(config: dict[str, Any]) -> bool:
    """Does Pomerium start with it?"""
    try:
        load("c.yaml", text=yaml.safe_dump(config).encode())
    except ConfigError:
        return False
    return True


GLOBAL_URLS = ("authenticate_service_url", "databroker_service_url", "signout_redirect_url", "authorize_service_url")


@pytest.mark.parametrize("written", BAD_URLS)
def test_no_secret_of_a_global_url(written: str, tmp_path: Path) -> None:
    """The same for the URLs at the top level."""
    canaries = Canaries()
    value = written.format(canaries[written])
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({**dict.fromkeys(GLOBAL_URLS, value), "dns_resolvers": [value]}))
    assert [] == canaries.found(run("lint", str(path)).all)


BROKEN_TEXTS = {
    "yaml alias": ("c.yaml", "shared_secret: *{0}\n"),
    "yaml tag": ("c.yaml", "shared_secret: !{0} x\n"),
    "yaml quote": ("c.yaml", "shared_secret: '{0}\n"),
    "yaml at": ("c.yaml", "shared_secret: @{0}\n"),
    "yaml directive": ("c.yaml", "%{0} x\nshared_secret: x\n"),
    "yaml integer": ("c.yaml", "shared_secret: !!int {0}\n"),
    "yaml twice": ("c.yaml", "a: 1\nshared_secret: {0}\nshared_secret: {0}\n"),
    "yaml scalar": ("c.yaml", "{0}\n"),
    "yaml of .env": ("config", "SHARED_SECRET={0}\nX=1\n"),
    "yaml short .env": ("config", "KEY={0}\n"),
    "yaml list": ("c.yaml", "- {0}\n"),
    "yaml key": ("c.yaml", "? [{0}]\n: x\n"),
    "json cut": ("c.json", '{{"shared_secret": "{0}'),
    "json escape": ("c.json", '{{"shared_secret": "\\{0}"}}'),
    "json word": ("c.json", '{{"shared_secret": {0}}}'),
    "json scalar": ("c.json", '"{0}"'),
    "toml cut": ("c.toml", 'shared_secret = "{0}\n'),
    "toml word": ("c.toml", "shared_secret = {0}\n"),
    "toml twice": ("c.toml", 'shared_secret = "{0}"\nshared_secret = "{0}"\n'),
    "env line": (".env", "SHARED_SECRET {0}\n"),
    "env quote": (".env", "SHARED_SECRET='{0}\n"),
    "env spaces": (".env", "{0}\n"),
    "routes base64": (".env", "ROUTES={0}!\n"),
    "routes text": (".env", "ROUTES={1}\n"),
}


@pytest.mark.parametrize("name", BROKEN_TEXTS)
def test_no_secret_of_a_text_that_is_no_config(name: str, tmp_path: Path) -> None:
    """What is wrong is said with its place, without the text that stands there."""
    canaries = Canaries()
    file, text = BROKEN_TEXTS[name]
    path = tmp_path / file
    path.write_text(text.format(canaries["text"], base64.b64encode(canaries["text"].encode()).decode()))
    for args in (("lint", str(path)), ("check", "-v", "-o", "json", str(path))):
        ran = run(*args)
        assert "Traceback" not in ran.err
        assert [] == canaries.found(ran.all), ran.all


# ------------------------------------------------------------------------------------------------------- upstreams

ECHOES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "raw": lambda request, secret: request,
    "location": lambda request, secret: b"HTTP/1.1 302 Found\r\nlocation: https://id/?h=" + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "location path": lambda request, secret: b"HTTP/1.1 302 Found\r\nlocation: https://id/" + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "location user": lambda request, secret: b"HTTP/1.1 302 Found\r\nlocation: https://" + secret + b"@id/\r\ncontent-length: 0\r\n\r\n",
    "server": lambda request, secret: b"HTTP/1.1 200 OK\r\nserver: " + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "content type": lambda request, secret: b"HTTP/1.1 200 OK\r\ncontent-type: x/" + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "reason": lambda request, secret: b"HTTP/1.1 500 " + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "body": lambda request, secret: b"HTTP/1.1 500 X\r\ncontent-length: %d\r\n\r\n%b" % (len(request), request),
    "header name": lambda request, secret: b"HTTP/1.1 200 OK\r\n" + secret + b" : x\r\n\r\n",
    "header value": lambda request, secret: b"HTTP/1.1 200 OK\r\nx: \x00" + secret + b"\r\n\r\n",
    "length": lambda request, secret: b"HTTP/1.1 200 OK\r\ncontent-length: " + secret + b"\r\n\r\n",
    "coding": lambda request, secret: b"HTTP/1.1 200 OK\r\ntransfer-encoding: " + secret + b"\r\n\r\n",
    "chunk": lambda request, secret: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + secret + b"\r\n",
    "status line": lambda request, secret: b"HTTP/1.1 " + secret + b"\r\n\r\n",
    "version": lambda request, secret: b"HTTP/" + secret + b" 200 OK\r\n\r\n",
    "keep alive": lambda request, secret: b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=" + secret + b"\r\ncontent-length: 0\r\n\r\n",
    "garbage": lambda request, secret: secret + b"\r\n",
    "garbage later": lambda request, secret: b"-ERR unknown command " + secret + b"\r\n",
}
"""What an upstream answers that sends back the header it was sent."""


def test_no_secret_that_an_upstream_sends_back(tmp_path: Path) -> None:
    """Upstreams that echo the Authorization header of set_request_headers do not bring it into the report."""
    canaries, scripts = Canaries(), []
    for name, echo in ECHOES.items():
        request = f"GET / HTTP/1.1\r\nauthorization: Bearer {canaries[name]}\r\nhost: a\r\n\r\n".encode()
        scripts.append(say(echo(request, canaries[name].encode()), end="fin"))
    with served(*(lambda s=s: upstream(s) for s in scripts)) as servers:
        routes = [
            {
                "from": f"https://a{server.port}.example.com",
                "to": f"http://127.0.0.1:{server.port}",
                "set_request_headers": {"Authorization": f"Bearer {canaries[name]}"},
                "timeout": "1s",
            }
            for name, server in zip(ECHOES, servers, strict=True)
        ]
        path, target = tmp_path / "c.yaml", tmp_path / "report"
        path.write_text(yaml.safe_dump({"routes": routes}))
        ran = run("check", "-v", "-o", "text", "-o", f"json={target}", str(path))
    assert len(ECHOES) == len(json.loads(target.read_text())["routes"])
    assert [] == canaries.found(ran.all + target.read_text()), ran.all


def test_no_password_of_the_mail_server(file: Path, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the password nor its base64 is in the error of a server that echoes it, nor a secret of the config in the mail."""
    monkeypatch.setenv("POMPROBE_SMTP_USER", "robot")
    monkeypatch.setenv("POMPROBE_SMTP_PASSWORD", canaries["mail password"])
    mail = ("--mail-to", "a@example.com", "--mail-from", "b@example.com")
    with mail_server(Mailbox(), auth=True) as port:
        ran = run("check", "-v", *mail, "--smtp", f"smtp://127.0.0.1:{port}", str(file))
    assert "mail" in ran.err
    assert [] == canaries.found(ran.all)
    monkeypatch.delenv("POMPROBE_SMTP_USER")
    monkeypatch.delenv("POMPROBE_SMTP_PASSWORD")
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        run("check", "-v", *mail, "--smtp", f"smtp://127.0.0.1:{port}", str(file))
    (sent,) = mailbox.mails
    parts = [str(part.get_content()) for part in sent.walk() if not part.is_multipart()]
    assert [] == canaries.found(sent.as_string() + "\n".join(parts))
