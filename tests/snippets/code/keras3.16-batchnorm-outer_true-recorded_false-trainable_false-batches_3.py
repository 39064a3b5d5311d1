layer = base.get_layer("bn")
layer.trainable = False
layer.momentum = 0.75
for x in batches[:3]:
    model(x, training=True)  # bound by the recorded training=False
model(x, training=False)  # stored statistics
