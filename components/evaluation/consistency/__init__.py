"""4D world consistency: every metric alone, on arrays. `world` measures one video with all of them."""
