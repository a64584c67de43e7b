"""The platforms people write through, each behind the Channel protocol of `base`."""
