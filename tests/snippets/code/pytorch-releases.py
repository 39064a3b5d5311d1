import torch
torch.__version__
