"""Conversations that LEGO learns from: public data sets converted, instructions written by a
language model, records of both.
"""
