"""For tests of integration progress: made-up requests and outcomes, and what must come of them, stated plainly."""
