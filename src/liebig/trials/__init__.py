"""Did it help? Blocks to compare in, pairs of scores to verdicts, and which treatments go on. No torch."""
