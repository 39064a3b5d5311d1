base.requires_grad_(False)  # weights
base.eval()  # statistics, again after
             # every model.train()
learn = filter(lambda p: p.requires_grad,
               model.parameters())
optimizer = torch.optim.SGD(learn, 0.01)
