"""Nearest segments and passages to a question: the protocol, and FAISS snapshots of SQL's rows."""
