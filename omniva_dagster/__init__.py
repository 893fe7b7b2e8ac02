"""Omniva: long videos in, published short clips out, and a proof of how each came to be."""

__version__ = "0.1.0"
