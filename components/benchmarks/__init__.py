"""How fast things are, as ratios within one run: machines differ and are shared."""
