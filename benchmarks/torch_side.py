"""PyTorch's side of `benchmarks.training_speed`, run by a Python of its own: nothing of Andon is imported here.

Arguments: family, batch, file of windows and targets (npz). For each line that it reads it trains one epoch and writes
processor seconds, seconds and the mean loss as JSON.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn

CLIP = 1.0
RATE = 1e-3


class Recurrent(nn.Module):
    """The state after the last row → output."""

    def __init__(self, cell, n_features, units=64):
        super().__init__()
        self.rows, self.head = cell(n_features, units, batch_first=True), nn.Linear(units, 1)

    def forward(self, windows):
        return self.head(self.rows(windows)[0][:, -1])


class Convolutional(nn.Module):
    """The default network of core/models/cnn.py without dropout: three layers of 48 filters, means of 8 stretches, 64 units."""

    def __init__(self, rows, n_features, filters=48, kernel=5, units=64, places=8):
        super().__init__()
        sizes = [n_features, filters, filters, filters]
        self.layers = nn.ModuleList(
            [nn.Conv1d(a, b, kernel, padding="same") for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        )
        self.stretch = max(1, rows // places)
        self.left_out = rows % self.stretch
        self.dense, self.head = nn.Linear(rows // self.stretch * filters, units), nn.Linear(units, 1)

    def forward(self, windows):
        hidden = windows.transpose(1, 2)
        for layer in self.layers:
            hidden = torch.relu(layer(hidden))
        means = nn.functional.avg_pool1d(hidden[:, :, self.left_out :], self.stretch)
        return self.head(torch.relu(self.dense(means.flatten(1))))


def network_epochs(family, batch, windows, targets):
    """A function that trains one epoch with Adam on squared error, the gradient cut at 1, and gives the mean loss."""
    n_rows, n_features = windows.shape[1:]
    models = {
        "lstm": lambda: Recurrent(nn.LSTM, n_features),
        "gru": lambda: Recurrent(nn.GRU, n_features),
        "cnn": lambda: Convolutional(n_rows, n_features),
    }
    model = models[family]()
    optimizer, loss_of = torch.optim.Adam(model.parameters(), RATE), nn.MSELoss()
    x, y = torch.from_numpy(windows), torch.from_numpy(targets)

    def epoch():
        total = 0.0
        for index in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = loss_of(model(x[index]), y[index])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            total += loss.item() * len(index)
        return total / len(x)

    return epoch


def autoencoder_epochs(batch, windows):
    """The same for PyOD's autoencoder of Andon's shape: 64, 8, 64 units, ELU, no batch normalisation, no dropout."""
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.utils.torch_utility import TorchDataset

    detector = AutoEncoder(
        preprocessing=False,
        epoch_num=1,
        batch_size=batch,
        verbose=0,
        hidden_neuron_list=[64, 8],
        hidden_activation_name="elu",
        batch_norm=False,
        dropout_rate=0.0,
    )
    rows = windows[:, 0]
    detector.data_num, detector.feature_size = rows.shape
    detector.build_model()
    detector.training_prepare()
    loader = torch.utils.data.DataLoader(TorchDataset(X=rows, y=None), batch_size=batch, shuffle=True, drop_last=True)

    def epoch():
        detector.train(loader)
        with torch.no_grad():
            some = torch.from_numpy(rows[:20_000])
            return float(((detector.model(some) - some) ** 2).mean())

    return epoch


def main(family, batch, file):
    """Train an epoch for each line read."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with np.load(file) as stored:
        windows, targets = stored["windows"], stored["targets"]
    epoch = (
        autoencoder_epochs(batch, windows) if family == "dense_autoencoder" else network_epochs(family, batch, windows, targets)
    )
    for _ in sys.stdin:
        began, used = time.perf_counter(), time.process_time()
        loss = epoch()
        print(json.dumps([time.process_time() - used, time.perf_counter() - began, loss]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
