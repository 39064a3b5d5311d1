layers = keras.layers
augment = keras.Sequential([
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.2),
    layers.RandomZoom(0.2),
    layers.RandomTranslation(0.2, 0.2),
    # RandomShear: from Keras 3.6 on
    layers.RandomContrast(0.2),
    layers.RandomBrightness(0.2),
    layers.RandomCrop(8, 8),
    # RandomHue: from Keras 3.8 on
    # RandomSaturation: from Keras 3.8 on
    # RandomSharpness: from Keras 3.8 on
    # RandomColorDegeneration: from Keras 3.8 on
    # RandomColorJitter: from Keras 3.8 on
    # RandomGrayscale: from Keras 3.8 on
    # RandomPosterization: from Keras 3.8 on
    # RandomInvert: from Keras 3.9 on
    # Solarization: from Keras 3.6 on
    # RandomGaussianBlur: from Keras 3.9 on
    # RandomErasing: from Keras 3.9 on
    # RandomPerspective: from Keras 3.9 on
    # RandomElasticTransform: from Keras 3.10 on
    # RandAugment: from Keras 3.8 on
    # AugMix: from Keras 3.9 on
    layers.RandomHeight(0.2),
    layers.RandomWidth(0.2),
    # AutoContrast: from Keras 3.6 on
    # Equalization: from Keras 3.8 on
    # ContrastLimitedAdaptiveHistogramEqualization: from Keras 3.14 on
    layers.Resizing(8, 8),
    layers.Rescaling(1 / 255),
    # Pipeline: from Keras 3.6 on
])
augment(x, training=True)   # draws
augment(x)                  # draws
augment(x, training=False)  # does not draw
