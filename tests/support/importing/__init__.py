"""An importer to be tested: what XPM may hold, its queue, and whole importers on real parts."""
