"""The network of Video-Depth-Anything, under its published names, and how it sees a long video."""
