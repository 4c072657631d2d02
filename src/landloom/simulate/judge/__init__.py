"""The frozen judge, judge-v1: cases with known truth that development did not tune on."""
