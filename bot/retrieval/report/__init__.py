"""What an evaluation comes to: measures, curves, changes since a former run, and the page."""
