"""Where the shipped files are: inside the package when installed from a wheel, beside it in a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The path of `templates`, `migrations`, `taxonomy.yaml` or `sample`."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
