"""The client for Xero Practice Manager: `api` asks, `reader` reads, `records` come back, or one of `errors`."""
