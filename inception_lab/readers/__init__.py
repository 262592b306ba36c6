"""Other ways to read a network: shapes and cost, graph, notation, comparison. No torch, no streamlit."""
