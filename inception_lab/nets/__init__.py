"""What the networks are: a tiny language (`ops`), the networks in it (one file each) and the catalogue."""
