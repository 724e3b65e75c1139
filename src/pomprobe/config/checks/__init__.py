"""What can be seen in a config without a packet, and what Pomerium accepts without meaning it: one file for each theme."""

from __future__ import annotations

from .view import View

__all__ = ["View", "run"]


def run(view: View) -> None:
    """Look for everything; what is found is added to the view's problems."""
    from . import addresses, ca, dns, durations, headers, health, keys, paths, routing, streams, tls

    for theme in (keys, durations, headers, routing, addresses, paths, tls, ca, streams, health, dns):
        theme.check(view)
