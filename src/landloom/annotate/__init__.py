"""People: tasks, scores, consensus. Empty until the annotation app lands."""
