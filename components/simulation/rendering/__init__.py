"""The ray-cast renderer - geometry in, images and exact annotation out."""
