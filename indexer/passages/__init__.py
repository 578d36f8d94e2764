"""What was said and what was written: passages of text that hold during a span of a video."""
