"""What a user would pick instead, each as its own documentation has it, on the same topic and the same Postgres."""
