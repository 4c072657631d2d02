"""Samples as 8-bit pictures, for programs that people label and look with."""
