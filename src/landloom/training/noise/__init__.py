"""Label noise: which labels are probably wrong, from predictions of models that have not seen them."""
