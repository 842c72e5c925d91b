"""Dead letters as operators see them: read, judged, redriven, discarded, exported."""
