"""A whole Muster under load while its parts are killed, and the proof afterwards that nothing was lost or doubled."""
