layers = keras.layers
augment = keras.Sequential([
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.2),
])
augment(x, training=True)   # draws
augment(x)                  # draws
augment(x, training=False)  # does nothing
