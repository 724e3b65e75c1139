"""What Pomerium refuses among the global keys that do not concern upstreams (config/options.go, Validate; validate.go).

Its own certificates and secrets are left alone: a probe is often run where they are not.
"""

from __future__ import annotations

from . import url, values
from .keys import GLOBAL_KEYS
from .reader import Reader

URLS = {
    "authenticate_service_url": "config: bad authenticate-url {} : {}",
    "authenticate_internal_service_url": "config: bad authenticate-internal-url {} : {}",
    "signout_redirect_url": "config: bad signout-redirect-url {} : {}",
    "authorize_service_url": "config: bad authorize-url {} : {}",
    "authorize_internal_service_url": "config: bad authorize-internal-url {} : {}",
    "databroker_service_url": "config: bad databroker service url {}: {}",
    "databroker_internal_service_url": "config: bad databroker internal service url {}: {}",
}
ADDRESSES = {
    "debug_address": "config: invalid debug_address: {}",
    "metrics_address": "config: invalid metrics_addr: {}",
    "health_check_addr": "config : invalid health_check_addr : {}",
}
LOG_LEVELS = ["", "trace", "debug", "info", "warn", "warning", "error", "critical", "fatal", "panic", "off", "none", "disabled"]
SAME_SITE = ("", "strict", "lax", "none")


def validate(reader: Reader) -> None:
    """Decode every known key as Pomerium does, and refuse what it refuses."""
    for key in reader.mapping:
        match GLOBAL_KEYS.get(key):
            case "text":
                reader.text(key)
            case "bool":
                reader.boolean(key)
            case "duration" if not key.startswith(("dns_", "timeout_", "default_")):  # those are read as settings
                reader.nanoseconds(key)
            case "list":
                reader.texts(key)
    for key in ("xff_num_trusted_hops", "session_recording_concurrency"):
        reader.read(key, lambda node: values.whole(node, 0, values.MAX_UINT32, "uint32"), None)
    for key, words in URLS.items():
        _url(reader, key, words)
    for key, words in ADDRESSES.items():
        written = reader.text(key)
        problem = _address_problem(written) if written else ""
        if problem:
            write = f"{key}: 127.0.0.1:PORT"
            reader.problems.refuse("address", reader.place(key), words.format(problem), key=key, value=written, write=write)
    if reader.text("policy_file"):
        message = "config: policy file setting is deprecated"
        reader.problems.refuse("policy_file", reader.place("policy_file"), message, key="policy_file", write="routes:")
    site = reader.text("cookie_same_site")
    if site.lower() not in SAME_SITE:
        message = f"config: invalid cookie_same_site: unknown cookie_same_site: {site.lower()}"
        place, write = reader.place("cookie_same_site"), "cookie_same_site: lax"
        reader.problems.refuse("enum", place, message, key="cookie_same_site", value=site, write=write)
    for key in ("log_level", "proxy_log_level"):
        level = reader.text(key)
        if level not in LOG_LEVELS:
            write = f"{key}: {level.lower()}" if level.lower() in LOG_LEVELS else f"{key}: info"
            message = f"config: invalid {key}: unknown log level: {level}"
            reader.problems.refuse("enum", reader.place(key), message, key=key, value=level, write=write)


def _url(reader: Reader, key: str, words: str) -> None:
    written = reader.text(key)
    if not written:
        return
    try:
        url.parse(written)
    except url.BadURL as error:
        message = words.format(url.mask(written), error)
        reader.problems.refuse("url", reader.place(key), message, key=key, value=url.mask(written), write=f"{key}: https://HOST")


def _address_problem(written: str) -> str:
    """Pomerium's ValidateAddress: host:port with a positive number."""
    host, colon, port = written.rpartition(":")
    if not colon or not port or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        return "expected host:port"
    try:
        number = int(port) if port.isascii() and "_" not in port and port.strip() == port else None
    except ValueError:
        number = None
    if number is None:
        return "port must be a number"
    return "" if number > 0 else "expected positive port number"
