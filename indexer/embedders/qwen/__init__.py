"""Qwen3-VL: how its inputs are made, and the embedding model."""
