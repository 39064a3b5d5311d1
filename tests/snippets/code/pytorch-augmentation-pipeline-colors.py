from torchvision.transforms import v2
augment = v2.Compose([
    v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
    v2.RandomPhotometricDistort(),
    v2.RandomChannelPermutation(),
    v2.RandomGrayscale(),
    v2.RandomEqualize(),
    v2.RandomInvert(),
    v2.RandomAutocontrast(),
    v2.RandomPosterize(3),
    v2.RandomSolarize(128.0),
    v2.RandomAdjustSharpness(2.0),
    v2.GaussianBlur((5, 5)),
    v2.GaussianNoise(),
    v2.JPEG((5, 50)),
])
# belongs to the training loader only;
# model.eval() does not reach it
