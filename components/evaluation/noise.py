"""The noise that a video of the evaluation starts from: all models are given the same."""

import hashlib


def noise_seed(seed: int, clip_id: str, sample: int) -> int:
    """The seed of one sample's noise."""
    digest = hashlib.sha256(f"{seed} {clip_id} {sample}".encode()).digest()
    return int.from_bytes(digest[:6], "big")
