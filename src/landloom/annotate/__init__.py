"""Annotation: tasks, scores, consensus. Empty until the annotation app is added."""
