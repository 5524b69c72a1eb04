"""Bodies on joints. A new family: a file beside `pendulum`, and one line here."""

from components.simulation.families.articulated.cradle import Cradle
from components.simulation.families.articulated.double_pendulum import DoublePendulum
from components.simulation.families.articulated.pendulum import Pendulum
from components.simulation.families.articulated.see_saw import SeeSaw
from components.simulation.families.articulated.turntable import Turntable
from components.simulation.families.family import Category
from components.simulation.solvers import bullet_joints

ARTICULATED = Category(
    families={
        "pendulum": Pendulum,
        "double_pendulum": DoublePendulum,
        "cradle": Cradle,
        "see_saw": SeeSaw,
        "turntable": Turntable,
    },
    shares=lambda simulation: {str(name): share for name, share in simulation.articulated.families.items()},
    simulate=bullet_joints.simulate,
    solver="pybullet",
)
