"""What is written in the picture: where there is text, what it reads, when it goes."""
