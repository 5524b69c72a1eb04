"""The instruments - metrics, intervals and reports."""
