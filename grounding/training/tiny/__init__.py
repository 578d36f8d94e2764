"""A LEGO small enough to be trained on two cores, from nothing."""
