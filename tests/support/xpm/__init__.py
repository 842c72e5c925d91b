"""The other party of the XPM client, where a test needs it to be what the sandbox never is."""
