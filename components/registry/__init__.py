"""Registered models: versions made of files with their hashes, and which of them is the champion."""
