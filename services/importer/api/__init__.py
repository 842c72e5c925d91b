"""The importer's internal HTTP API: the only road to XPM for everybody else. See docs/importer.md."""
