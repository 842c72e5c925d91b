"""Folding the journal again: beside the live tables, to compare with them, and to take their place.

journal     reads the journal without a group
folding     folds a partition into a generation, in large pieces
crew        folds many partitions in several processes
standing    which generations there are, and how far each has come
comparing   what differs between two generations
answering   what a swap has to publish
settling    bringing another generation to where the live one stands
swapping    one transaction in which readers and resolver go over
outbox      the way out of what a swap stored
letters     dead letters of what the other generation can't process
told        what topics remember of a database that was lost
building    generations beside the live one: begun, folded, kept, dropped
course      the steps of a replay and of a verification, one after the other
"""
