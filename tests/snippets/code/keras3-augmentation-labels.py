layers = keras.layers
augment = layers.Pipeline([
    layers.MixUp(),
    layers.CutMix(),
])
# in the data set, y one-hot: inside a model labels are not mixed
augment({"images": x, "labels": y}, training=True)
