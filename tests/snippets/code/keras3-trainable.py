base.trainable = False  # weights
x = base(x, training=False)
# statistics; fit passes True

# always again
model.compile("sgd", "sparse_categorical_crossentropy")
