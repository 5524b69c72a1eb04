"""Stages that run on other machines: what travels, what a pod does, and how its results come back."""
