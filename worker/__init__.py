"""What every worker is made of: Kafka and Postgres, no business."""
