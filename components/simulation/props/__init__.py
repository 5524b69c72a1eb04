"""Props: what families furnish their scenes with, drawn from the ranges of a category and without its place."""
