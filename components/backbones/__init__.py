"""Video diffusion models behind one protocol."""
