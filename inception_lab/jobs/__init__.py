"""Many runs: the store, the supervisor, and how runs get a process. No torch, no streamlit."""
