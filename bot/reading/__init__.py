"""Reads what staff write: YAML with line and column, fitted to a shape, wrongs told in Chinese."""
