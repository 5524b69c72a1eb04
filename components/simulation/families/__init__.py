"""Categories of scenes by name. A new category: a package beside `rigid`, and one line here."""

from collections.abc import Mapping

from components.simulation.families.articulated import ARTICULATED
from components.simulation.families.deformable import DEFORMABLE
from components.simulation.families.family import Category
from components.simulation.families.fluid import FLUID
from components.simulation.families.garment import GARMENT
from components.simulation.families.granular import GRANULAR
from components.simulation.families.inflatable import INFLATABLE
from components.simulation.families.rigid import RIGID
from components.simulation.families.rope import ROPE
from components.simulation.families.thermodynamics import THERMODYNAMICS

CATEGORIES: Mapping[str, Category] = {
    "articulated": ARTICULATED,
    "deformable": DEFORMABLE,
    "fluid": FLUID,
    "garment": GARMENT,
    "granular": GRANULAR,
    "inflatable": INFLATABLE,
    "rigid": RIGID,
    "rope": ROPE,
    "thermodynamics": THERMODYNAMICS,
}
