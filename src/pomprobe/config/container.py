"""Signs that Pomerium runs in a container, where localhost is not what a config's writer meant."""

from __future__ import annotations

import os

MARK = "/.dockerenv"
"""Docker puts this file into every container."""
IMAGE_PATH = "/pomerium/"
"""Where Pomerium's image looks for its config."""


def in_container(file: str, format: str) -> bool:
    """This is a container, the file lies where the image wants it, or it is a manifest."""
    return format == "kubernetes" or file.startswith(IMAGE_PATH) or os.path.exists(MARK)
