"""Models from outside: the prompts they are given, and their videos measured as those of the project's own models."""
