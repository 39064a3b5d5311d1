from torchvision.transforms import v2
augment = v2.Compose([
    v2.AutoAugment(),
    v2.RandAugment(),
    v2.TrivialAugmentWide(),
    v2.AugMix(),
])
# belongs to the training loader only;
# model.eval() does not reach it
