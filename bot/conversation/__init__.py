"""One message in, one turn out. Pure: search, clock and case numbers are handed in."""
