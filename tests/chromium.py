"""Find a Chromium for the browser tests, or install Debian's where that is possible: root, apt and no Chromium yet.

Never fails: without a browser the browser tests say so and are skipped (or fail, when CI=true).
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The path of a Chromium: `ANNOTATOR_CHROMIUM`, or the first that is on the PATH."""
    return os.environ.get("ANNOTATOR_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's Chromium; what apt says goes to stderr."""
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]):
        ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if ran.returncode:
            return


def main() -> None:
    """Say what was found."""
    if find_chromium() is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("No Chromium here; installing Debian's for the browser tests.", file=sys.stderr)
        install()
    print(f"Browser tests use: {find_chromium() or 'nothing, they will be skipped (install Chromium to run them)'}", file=sys.stderr)


if __name__ == "__main__":
    main()
