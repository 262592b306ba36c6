"""Photographs: reading them safely, cropping, classifying, attributing, evaluating."""
