"""Our own networks against theory and against published numbers.

``networks``       many different random networks as one stack, and their dead layers
``inputs``         the sets of inputs they are shown
``probabilities``  probabilities of death before training
``collapse``       networks trained to be the absolute value, of which most end as a constant
``born_dead``      the table behind the figure of networks born dead
``protocol``       constants that the text about them needs, too
``checks``         values from theory and from publications
``validation``     the table of the comparison
``tables``         the job that simulates and writes each table

Everything runs in less than a minute on one core and depends on no data set.
"""
