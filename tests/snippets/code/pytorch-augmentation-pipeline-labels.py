import torch
from torchvision.transforms import v2
augment = v2.Compose([
    v2.ToDtype(torch.float32, scale=True),
    v2.MixUp(),
    v2.CutMix(),
])
# on a batch, labels one-hot floats: augment(images, labels)
# belongs to the training loader only;
# model.eval() does not reach it
