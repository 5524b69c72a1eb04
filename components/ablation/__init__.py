"""Cells of an ablation: what each part of the method is worth, trained and measured alike."""
