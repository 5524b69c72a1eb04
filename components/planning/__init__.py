"""How much memory a stage needs, before it runs: an estimate of named figures, what there is, and what to change."""
