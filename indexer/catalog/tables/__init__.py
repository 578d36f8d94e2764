"""The tables, by what they are about. Who uses one loads its module alone: all of them would take a
tenth of what a short command costs.
"""
