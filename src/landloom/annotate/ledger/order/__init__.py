"""Which task comes next: the priorities of tasks, and the draw for one person."""
