"""More faults than were recorded by hand, found by asking what lies next to those; VARIANTS holds them by name."""

from . import balancing, crowds, dns, handshakes, health, http1, http2, retries, strangers, timers, tls, tries, tunnels
from .catalogue import VARIANTS

__all__ = [
    "VARIANTS",
    "balancing",
    "crowds",
    "dns",
    "handshakes",
    "health",
    "http1",
    "http2",
    "retries",
    "strangers",
    "timers",
    "tls",
    "tries",
    "tunnels",
]
