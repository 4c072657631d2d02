"""Planning, running and resuming units of work; knows no product."""
