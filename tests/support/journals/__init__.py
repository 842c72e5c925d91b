"""Made-up journals with many collisions, composed step by step against the model, so that digests are often right."""
