"""Planning, running and resuming units of work, independent of product kinds."""
