"""Kinds of things beside rigid bodies: what their solvers need to know of them."""
