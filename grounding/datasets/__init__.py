"""Public data sets converted to records. `registry` lists them; each set's own format is read in
one file of `video_sets`, `image_sets` or `sound_sets`.
"""
