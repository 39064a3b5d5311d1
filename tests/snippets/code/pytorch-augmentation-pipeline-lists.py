from torchvision.transforms import v2
augment = v2.Compose([
    v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)]),
    v2.RandomChoice([v2.RandomHorizontalFlip(), v2.RandomGrayscale(p=1.0)]),
    v2.RandomOrder([v2.RandomHorizontalFlip(), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)]),
])
# belongs to the training loader only;
# model.eval() does not reach it
