"""The only streamlit in the package: frame, cache, widgets, components."""
