"""What is said: speech detection, recognition, and what may be believed of it."""
