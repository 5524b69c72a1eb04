"""Published scores of the real benchmark, for orientation: nothing that is measured here can be compared with them."""

from dataclasses import dataclass
from typing import Literal

Group = Literal["Ours", "Open-source", "Commercial"]

PAPER = "Phys4D, arXiv 2603.03485"
LEADERBOARD = (
    "Original Physics-IQ leaderboard, image to video, github google-deepmind/physics-IQ-benchmark, commit 008659f"
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of the paper's table or of the leaderboard; None where its source gives no number.

    columns: MSE, ST-IoU, S-IoU, WS-IoU; source: where the score was reported.
    """

    group: Group
    model: str
    parameters: str | None = None
    columns: tuple[float, float, float, float] | None = None
    score: float
    source: str

    @property
    def digits(self) -> tuple[str, ...]:
        """The columns as the source writes them, dashes where it has none."""
        return tuple(f"{value:.3f}" for value in self.columns) if self.columns else ("–",) * 4


PUBLISHED = (
    Published(
        group="Ours",
        model="CogVideoX + Phys4D",
        parameters="5B",
        columns=(0.009, 0.169, 0.252, 0.157),
        score=30.2,
        source=PAPER,
    ),
    Published(
        group="Ours",
        model="Wan2.2-TI2V + Phys4D",
        parameters="5B",
        columns=(0.014, 0.107, 0.214, 0.122),
        score=25.6,
        source=PAPER,
    ),
    Published(
        group="Ours",
        model="Open-Sora 1.2 + Phys4D",
        parameters="1.1B",
        columns=(0.016, 0.098, 0.195, 0.112),
        score=22.4,
        source=PAPER,
    ),
    Published(
        group="Open-source",
        model="CogVideoX",
        parameters="5B",
        columns=(0.013, 0.116, 0.222, 0.142),
        score=18.8,
        source=PAPER,
    ),
    Published(
        group="Open-source",
        model="Wan2.2-TI2V",
        parameters="5B",
        columns=(0.016, 0.088, 0.150, 0.105),
        score=16.8,
        source=PAPER,
    ),
    Published(
        group="Open-source",
        model="Open-Sora 1.2",
        parameters="1.1B",
        columns=(0.021, 0.072, 0.135, 0.092),
        score=14.5,
        source=PAPER,
    ),
    Published(group="Open-source", model="Wan2.2", score=38.3, source="leaderboard, arXiv 2601.10553"),
    Published(
        group="Open-source",
        model="CogVideoX-5b",
        parameters="5B",
        score=32.3,
        source="leaderboard, github ved015/CogVideoX-5b-Physics_iq_benchmarking",
    ),
    Published(group="Open-source", model="Magi-1", score=30.2, source="leaderboard, arXiv 2505.13211"),
    Published(group="Open-source", model="Stable Video Diffusion", score=14.8, source="leaderboard, arXiv 2501.09038"),
    Published(group="Commercial", model="Sora 2", score=42.3, source="leaderboard, arXiv 2601.10553"),
    Published(group="Commercial", model="VideoPoet", score=20.3, source="leaderboard, arXiv 2501.09038"),
    Published(group="Commercial", model="Pika 1.0", score=13.0, source="leaderboard, arXiv 2501.09038"),
    Published(group="Commercial", model="Sora", score=10.0, source="leaderboard, arXiv 2501.09038"),
)
