layers = keras.layers
augment = layers.Pipeline([
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.2),
    layers.RandomZoom(0.2),
    layers.RandomTranslation(0.2, 0.2),
    layers.RandomShear(x_factor=0.2, y_factor=0.2),
    layers.RandomContrast(0.2),
    layers.RandomBrightness(0.2),
    layers.RandomCrop(8, 8),
    layers.RandomHue(0.3),
    layers.RandomSaturation((0.3, 0.7)),
    layers.RandomSharpness(1.0),
    layers.RandomColorDegeneration(0.5),
    layers.RandomColorJitter(brightness_factor=0.2, contrast_factor=0.4, saturation_factor=(0.3, 0.7), hue_factor=0.1),
    layers.RandomGrayscale(),
    layers.RandomPosterization(4),
    layers.RandomInvert(),
    layers.Solarization(threshold_factor=(0.5, 1.0)),
    layers.RandomGaussianBlur(kernel_size=(7, 7)),
    layers.RandomErasing(),
    layers.RandomPerspective(scale=0.5),
    layers.RandomElasticTransform(scale=0.5),
    layers.RandAugment(),
    layers.AugMix(),
    # RandomHeight: only in Keras 2
    # RandomWidth: only in Keras 2
    layers.AutoContrast(),
    layers.Equalization(),
    layers.ContrastLimitedAdaptiveHistogramEqualization(),
    layers.Resizing(8, 8),
    layers.Rescaling(1 / 255),
    layers.Pipeline([layers.RandomFlip("horizontal")]),
])
augment(x, training=True)   # draws
augment(x)                  # draws
augment(x, training=False)  # does not draw
