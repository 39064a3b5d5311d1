import torch
from torchvision.transforms import v2
augment = v2.Compose([
    v2.RandomResizedCrop(8),
    v2.RandomHorizontalFlip(),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])
# belongs to the training loader only;
# model.eval() does not reach it
