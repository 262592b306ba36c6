"""A network as PyTorch: layers, the builder, public weights."""
