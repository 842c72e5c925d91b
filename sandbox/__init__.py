"""An HTTP server that behaves like Xero Practice Manager, with made-up practices."""
