bn = base.get_layer("bn")
eps, layers = bn.epsilon, keras.layers
bn.trainable = False  # the frozen one
sync = layers.BatchNormalization(synchronized=True)
group = layers.GroupNormalization(3, epsilon=eps)
whole = layers.GroupNormalization(1, epsilon=eps)
for norm in group, whole:
    norm.build(bn.input.shape)
    norm.set_weights([bn.gamma, bn.beta])
