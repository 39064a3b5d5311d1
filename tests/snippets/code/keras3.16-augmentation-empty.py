layers = keras.layers
augment = layers.Identity()
augment(x, training=True)   # nothing to draw
augment(x)                  # nothing to draw
augment(x, training=False)  # nothing to draw
