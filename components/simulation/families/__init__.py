"""Categories of scenes: a package each, in which every module is a family and is named as its class.

Both are found by their files, and imported with their solvers when a scene asks for them. A new family: a file beside
`rigid/drop.py`, and nothing else.
"""

import functools
from importlib import import_module

from components.errors import Phys4dError
from components.simulation.catalogue import family_names
from components.simulation.families.family import Category, Family


@functools.cache
def load_category(category: str) -> Category:
    """The category of a name of `CATEGORY_NAMES`, with all its families."""
    solvers = import_module(f"{__name__}.{category}").SOLVERS
    return Category(families={name: _load_family(category, name) for name in family_names(category)}, solvers=solvers)


def _load_family(category: str, name: str) -> type[Family]:
    """The class of a module: `see_saw` holds SeeSaw."""
    module = import_module(f"{__name__}.{category}.{name}")
    title = "".join(part.capitalize() for part in name.split("_"))
    if not hasattr(module, title):
        raise Phys4dError(f"{module.__file__}: no class {title}, expected a family that is named as its module")
    family: type[Family] = getattr(module, title)
    return family
