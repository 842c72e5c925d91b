"""Pages on which a person changes a practice and asks for trouble while the sandbox runs: plain HTML, no script."""
