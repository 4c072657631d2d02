"""Tasks of a campaign: cutting chips, drawing reference tasks, ordering the queue, trusting annotators."""
