"""The composition root: builds every object, and runs worker, delivery, clock and reload."""
