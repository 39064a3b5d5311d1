base.trainable = False  # weights
x = base(x, training=False)
# statistics; holds inside fit

# always again
model.compile("sgd", "sparse_categorical_crossentropy")
