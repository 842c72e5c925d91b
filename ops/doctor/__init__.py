"""`muster doctor`: what an operator would check first, and what to do about it."""
