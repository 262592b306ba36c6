"""Plain data to Plotly figures. No streamlit."""
