"""Loading params.yaml, profiles, and the rules that join its fields."""
