base.trainable = False  # weights
x = base(x, training=False)
# statistics; holds inside fit

model.compile(...)  # always again
