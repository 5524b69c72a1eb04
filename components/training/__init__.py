"""Training: one trainer, and what each stage puts into it."""
