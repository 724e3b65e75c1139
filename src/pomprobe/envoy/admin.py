"""Envoy's admin interface, over a unix socket in the private folder. The door to httpx."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..record import Record
from .find import EnvoyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx


class HostView(Record, frozen=True):
    """One host of a cluster as /clusters shows it. failing: Envoy's words for why it is not healthy."""

    address: str
    healthy: bool
    failing: tuple[str, ...] = ()


class Admin:
    """What is asked of a running Envoy."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ready(self) -> bool:
        """Has Envoy started? False also while its socket is not there yet."""
        import httpx

        try:
            return (await self._client.get("/ready")).text.strip() == "LIVE"
        except httpx.HTTPError:
            return False

    async def port(self, listener: str) -> int:
        """The port that the kernel chose for this listener."""
        statuses = await self._json("/listeners?format=json")
        return next(
            int(status["local_address"]["socket_address"]["port_value"])
            for status in statuses.get("listener_statuses", ())
            if status["name"] == listener
        )

    async def clusters(self) -> Mapping[str, tuple[HostView, ...]]:
        """The clusters that are in use, with their hosts; one that still waits for DNS or a health check is missing."""
        statuses = (await self._json("/clusters?format=json")).get("cluster_statuses", ())
        return {status["name"]: tuple(map(_host, status.get("host_statuses", ()))) for status in statuses}

    async def _json(self, path: str) -> Any:
        import httpx

        try:
            return (await self._client.get(path)).raise_for_status().json()
        except httpx.HTTPError as error:
            raise EnvoyError(f"Envoy does not answer on its admin interface: {error}") from error


@asynccontextmanager
async def connected(socket: Path) -> AsyncIterator[Admin]:
    """The admin interface behind this unix socket."""
    import httpx

    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://envoy", timeout=10, trust_env=False) as client:
        yield Admin(client)


def _host(status: Mapping[str, Any]) -> HostView:
    address = status["address"]
    where = address.get("socket_address")
    shown = f"{where['address']}:{where['port_value']}" if where else address.get("pipe", {}).get("path", "")
    health = status.get("health_status", {})
    failing = tuple(sorted(name for name, value in health.items() if value is True))
    return HostView(shown, not failing, failing)
