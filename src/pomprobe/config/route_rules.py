"""What Pomerium refuses of a route beside its addresses: keys that cannot be decoded, and Policy.Validate (config/policy.go)."""

from __future__ import annotations

from ..model import Route
from . import compound, upstreams, url, values
from .duration import quote
from .keys import ROUTE_KEYS, Version
from .nodes import Node
from .reader import Reader

NOTHING = "policy should have either `to` or `redirect` or `response` defined"
REDIRECT_CODES = (301, 302, 303, 307, 308)
NO_HEADERS: dict[str, tuple[str, Node]] = {}


class RouteRules(Reader):
    """A reader of one route that knows the rules; `from` and `to` are judged where they are read."""

    version: Version

    def decode_all(self) -> None:
        """The keys that do not concern the upstream are decoded, too: one that cannot be is refused."""
        for key in self.mapping:
            match ROUTE_KEYS.get(key):
                case "text":
                    self.text(key)
                case "bool":
                    self.boolean(key)
                case "list":
                    self.texts(key)
                case "map":
                    self.read(key, compound.text_map, NO_HEADERS)
        self.read("regex_priority_order", lambda node: values.whole(node, -(2**63), 2**63 - 1, "int64"), None)
        response = self.struct("response")
        if response is not None:
            response.text("body")
            response.read("status", lambda node: values.whole(node, -(2**63), 2**63 - 1, "int"), None)
        redirect = self.struct("redirect")
        if redirect is not None:
            for key in ("https_redirect", "strip_query"):
                redirect.boolean(key)
            for key in ("scheme_redirect", "host_redirect", "path_redirect", "prefix_rewrite"):
                redirect.text(key)
            redirect.read("port_redirect", lambda node: values.whole(node, 0, values.MAX_UINT32, "uint32"), None)

    def validate(self, route: Route) -> None:
        """Policy.Validate, in its order; `from` and `to` were judged when they were read."""
        if not route.upstreams and not self.has("redirect") and not self.has("response") and self.mapping.get("to") is None:
            self._refuse("to_missing", "to", NOTHING, write="to: http://HOST:PORT")
        mixed = upstreams.mixing_error(route.upstreams)
        if mixed:
            self._refuse(mixed[0], "to", mixed[1])
        self._validate_redirect()
        whitelists = self.has("allowed_domains") or self.has("allowed_users")
        if self.boolean("allow_public_unauthenticated_access") and (self.boolean("allow_any_authenticated_user") or whitelists):
            self._refuse("lists", "allow_public_unauthenticated_access", "config: policy route marked as public but contains whitelists")
        elif self.boolean("allow_any_authenticated_user") and whitelists:
            message = "config: policy route marked accessible for any authenticated user but contains whitelists"
            self._refuse("lists", "allow_any_authenticated_user", message)
        if self.text("kubernetes_service_account_token_file") and self.text("kubernetes_service_account_token"):
            message = "config: specified both `kubernetes_service_account_token_file` and `kubernetes_service_account_token`"
            self._refuse("kubernetes_token", "kubernetes_service_account_token_file", message)
        if route.prefix_rewrite and route.regex_rewrite_pattern:
            message = "config: only prefix_rewrite or regex_rewrite_pattern can be specified, but not both"
            self._refuse("rewrite", "regex_rewrite_pattern", message)
        self.read("tls_downstream_client_ca", self._downstream_ca, b"")
        self._validate_depends_on()
        self._validate_mcp()

    def _downstream_ca(self, node: Node) -> bytes:
        try:
            return compound.decoded(node)
        except values.Refused as refused:
            self._refuse("base64", "tls_downstream_client_ca", f"config: couldn't decode downstream client ca: {refused}")
            return b""

    def _validate_redirect(self) -> None:
        node = self.mapping.mapping("redirect")
        if node is None:
            return
        code = Reader(node, self.problems).read("response_code", lambda n: values.whole(n, -(2**31), 2**31 - 1, "int32"), None)
        if code is not None and code not in REDIRECT_CODES:
            message = f"config: unsupported redirect response code {code} (supported values: 301, 302, 303, 307, 308)"
            place = node.place_of("response_code")
            self.problems.refuse("redirect_code", place, message, key="redirect.response_code", write="response_code: 302")

    def _validate_depends_on(self) -> None:
        hosts = self.texts("depends_on")
        if len(hosts) > 5:
            shown = " ".join(hosts)
            self._refuse("depends_on", "depends_on", f"config: depends_on is limited to 5 additional redirect hosts, got [{shown}]")
        for host in hosts:
            if "/" not in host:
                continue
            try:
                parsed = url.parse_any(host)
            except url.BadURL:
                parsed = url.URL("")
            if not parsed.scheme or not parsed.host:
                self._refuse("depends_on", "depends_on", f"config: unsupported depends_on value {quote(url.mask(host))}")

    def _validate_mcp(self) -> None:
        mcp = self.struct("mcp")
        if mcp is not None:
            server = mcp.struct("server")
            mcp.struct("client")
            if server is not None and self.version >= (0, 33, 0):
                self._validate_authorization_server(server)
        if mcp is not None and not (mcp.has("server") or mcp.has("client")):
            self._refuse("mcp", "mcp", "config: mcp must have either server or client set", write="mcp: {server: {}}")

    def _validate_authorization_server(self, server: Reader) -> None:
        key, written = "authorization_server_url", server.text("authorization_server_url")
        problem = ""
        try:
            scheme = url.parse(written).scheme if written else "https"
            problem = "" if scheme == "https" else f"config: mcp authorization_server_url must be https, got {quote(scheme)}"
        except url.BadURL as error:
            problem = f"config: invalid mcp authorization_server_url {error}"
        if problem:
            shown = url.mask(written)[:200]
            self.problems.refuse("mcp", server.place(key), problem, key=key, value=shown, write=f"{key}: https://HOST")

    def _refuse(self, refusal: str, key: str, message: str, write: str = "") -> None:
        self.problems.refuse(refusal, self.place(key), message, key=key, write=write)
