"""The ranges of each category of scenes: one file a category, a section of `simulation` each."""
