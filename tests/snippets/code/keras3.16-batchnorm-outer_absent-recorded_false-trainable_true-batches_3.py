layer = base.get_layer("bn")
layer.trainable = True
layer.momentum = 0.75
for x in batches[:3]:
    model(x)  # stored statistics
model(x, training=False)  # stored statistics
