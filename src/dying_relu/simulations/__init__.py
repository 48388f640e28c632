"""Our own networks against theory and against published numbers.

``networks``    many different random networks as one stack, and which of their layers are dead
``inputs``      the sets of inputs they are shown
``simulating``  probabilities of death before training
``collapse``    networks trained to be the absolute value, of which most end as a constant
``birth``       the table behind the figure of networks born dead
``protocol``    what they have in common with the text about them
``checks``      what is compared with what
``validating``  the table of the comparison
``keeping``     how both tables are simulated and written

Everything runs in less than a minute on one core and depends on no data set.
"""
