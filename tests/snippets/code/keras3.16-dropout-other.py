drop = keras.layers.Dropout(0.5)
drop(x, training=True)   # a new mask every call
drop(x, training=False)  # identity
# Monte Carlo: only noise in training mode
# and nothing recorded before it
model.trainable = False  # stored statistics
model.get_layer("dropout").rate = 0.5
ys = [model(photo, training=True)
      for _ in range(4)]
