"""Pseudo-labels: what estimators say of videos that no simulator made."""
