"""Published scores of the real benchmark, for orientation: nothing on the page can be compared with them."""

from dataclasses import dataclass

SOURCE = "Original Physics-IQ leaderboard, image to video, github google-deepmind/physics-IQ-benchmark, commit 008659f"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of the leaderboard. source: where its score was reported."""

    model: str
    score: float
    source: str


LEADERBOARD = (
    Published(model="Sora 2", score=42.3, source="arXiv 2601.10553"),
    Published(model="Wan2.2", score=38.3, source="arXiv 2601.10553"),
    Published(model="CogVideoX-5b", score=32.3, source="github ved015/CogVideoX-5b-Physics_iq_benchmarking"),
    Published(model="Magi-1", score=30.2, source="arXiv 2505.13211"),
    Published(model="VideoPoet", score=20.3, source="arXiv 2501.09038"),
    Published(model="Stable Video Diffusion", score=14.8, source="arXiv 2501.09038"),
    Published(model="Pika 1.0", score=13.0, source="arXiv 2501.09038"),
    Published(model="Sora", score=10.0, source="arXiv 2501.09038"),
)
