"""Solvers - a scene in, vertices with fixed topology and object states out."""
