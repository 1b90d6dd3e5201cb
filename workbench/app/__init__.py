"""What pages show of one clip, the playground, and the start of the server; no Streamlit."""
