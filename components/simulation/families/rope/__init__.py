"""Ropes and what hangs on them. A new family: a file beside `swing`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.rope.line import Line
from components.simulation.families.rope.over_bar import OverBar
from components.simulation.families.rope.swing import Swing
from components.simulation.families.rope.wrecking_ball import WreckingBall
from components.simulation.solvers import bullet_joints

ROPE = Category(
    families={"swing": Swing, "wrecking_ball": WreckingBall, "over_bar": OverBar, "line": Line},
    shares=lambda simulation: {str(name): share for name, share in simulation.rope.families.items()},
    simulate=bullet_joints.simulate,
    solver="pybullet",
)
