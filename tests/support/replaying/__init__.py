"""A journal in Kafka, releases that get it wrong or die at a certain place, and a replay between them."""
