base.trainable = False  # weights
x = base(x, training=False)
# statistics; fit passes True

model.compile(...)  # always again
