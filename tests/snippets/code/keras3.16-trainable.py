base.trainable = False  # weights
x = base(x, training=False)
# statistics; holds inside fit, and for
# the head: its dropout is off

# always again
model.compile("sgd", "sparse_categorical_crossentropy")
