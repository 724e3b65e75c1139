"""Smaller bytes with the same effect (delta debugging)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


async def minimised(data: bytes, same: Callable[[bytes], Awaitable[bool]], budget: int = 100) -> bytes:
    """Leave out ever smaller pieces as long as `same` stays true; budget: how often it may be asked."""
    size = max(1, len(data) // 2)
    while size and budget > 0:
        at = 0
        while at < len(data) and budget > 0:
            shorter = data[:at] + data[at + size :]
            budget -= 1
            if await same(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data
