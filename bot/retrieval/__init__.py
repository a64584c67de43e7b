"""From a farmer's words to the entries nearest in meaning, and the measure of how well it goes."""
