"""Tianwen 田问: vetted answers for farmers, and a person where there is none."""
