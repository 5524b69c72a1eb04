"""Phys4D: video, metric depth and motion from one physics-consistent model."""
