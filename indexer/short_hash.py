"""A short name for a longer identity."""

import hashlib


def short_hash(*parts: str) -> str:
    """Twelve hexadecimal digits of SHA-256 over the parts, separated by a zero byte."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
