import torch
from torchvision.transforms import v2
augment = v2.Compose([
    v2.Resize(9),
    v2.CenterCrop(8),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize((0.5,), (0.25,)),
])
# belongs to the training loader only;
# model.eval() does not reach it
