"""What is wrong with a set-up: a room for each group of looks at it."""
