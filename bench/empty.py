"""The least a Streamlit app can be: a title, a box to tick, and what it says."""

import streamlit as st

st.title("Empty")
st.write("ticked" if st.toggle("Tick") else "not ticked")
