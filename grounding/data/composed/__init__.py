"""A world that is drawn: shapes on photographs, motions, tones, with known truth, in LEGO's record
format.
"""
