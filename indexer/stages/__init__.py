"""The stages of a chunk behind one small interface (base.py); a new one is a file here and a line in
`configured.configured_stages`.
"""
