"""Faults planted in ground truth: what each metric is believed by."""
