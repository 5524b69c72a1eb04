"""Stages that run in pods of a cluster: what travels, what a pod does, its Job, and how its results come back."""
