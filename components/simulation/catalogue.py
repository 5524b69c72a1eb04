"""Names of categories and families: those of their packages and modules, known without importing any of them."""

from pathlib import Path

FAMILIES = Path(__file__).parent / "families"
CATEGORY_NAMES = tuple(sorted(path.parent.name for path in FAMILIES.glob("*/__init__.py")))


def family_names(category: str) -> tuple[str, ...]:
    """The families of a category, sorted: every module of its package is one."""
    return tuple(sorted(path.stem for path in (FAMILIES / category).glob("[!_]*.py")))
