"""Rigid bodies. A new family: a file beside `drop`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.rigid.behind import Behind
from components.simulation.families.rigid.collide import Collide
from components.simulation.families.rigid.dominoes import Dominoes
from components.simulation.families.rigid.drop import Drop
from components.simulation.families.rigid.ramp import Ramp
from components.simulation.families.rigid.stack import Stack
from components.simulation.families.rigid.topple import Topple
from components.simulation.solvers import bullet

RIGID = Category(
    families={
        "drop": Drop,
        "ramp": Ramp,
        "topple": Topple,
        "collide": Collide,
        "dominoes": Dominoes,
        "stack": Stack,
        "behind": Behind,
    },
    shares=lambda simulation: {str(name): share for name, share in simulation.rigid.families.items()},
    simulate=bullet.simulate,
    solver="pybullet",
)
