layers = keras.layers
augment = keras.Sequential([
    # MixUp: from Keras 3.8 on
    # CutMix: from Keras 3.9 on
    layers.Identity(),
])
augment(x, training=True)   # nothing to draw
augment(x)                  # nothing to draw
augment(x, training=False)  # nothing to draw
