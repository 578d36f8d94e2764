"""Ten million segments on one machine: catalog on disk, snapshot mapped, answers in words."""
