"""The resolver under test, and what it says put beside what the model says."""
