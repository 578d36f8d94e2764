"""How good answers are, on questions whose true answers are known."""
