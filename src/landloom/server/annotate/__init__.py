"""The annotation app: routes of the page, of annotators and of managers, below `/annotate/`."""
