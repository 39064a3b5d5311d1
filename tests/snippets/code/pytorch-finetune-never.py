base.requires_grad_(False)
for epoch in range(4):
    model.train()  # the base too
    for x, y in loader:
        loss = loss_fn(head(base(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
