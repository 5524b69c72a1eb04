"""Simulated clips - scenes by category, solvers, the renderer and the annotator."""
