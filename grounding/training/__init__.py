"""The three stages of LEGO's training."""
