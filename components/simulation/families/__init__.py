"""Categories of scenes by name. A new category: a package beside `rigid`, and one line here."""

from collections.abc import Mapping

from components.simulation.families.family import Category
from components.simulation.families.rigid import RIGID

CATEGORIES: Mapping[str, Category] = {"rigid": RIGID}
