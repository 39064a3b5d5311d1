from torchvision.transforms import v2
augment = v2.Compose([
    v2.RandomHorizontalFlip(),
    v2.RandomRotation(72),
])
# belongs to the training loader only;
# model.eval() does not reach it
