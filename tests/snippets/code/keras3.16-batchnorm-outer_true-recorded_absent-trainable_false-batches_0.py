layer = base.get_layer("bn")
layer.trainable = False
model(x, training=True)   # frozen: runs in inference
model(x, training=False)  # stored statistics
# PyTorch needs bn.eval() instead
