"""What a project needs of its surroundings, tried out one by one: what is wrong, and what to do about it."""
