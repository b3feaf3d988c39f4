"""Training kernels of LSTM and GRU layers: the numbers of Keras' own, several times faster on one core.

Keras runs a loop over rows whose every small operation is kept for the backward pass and taken up again there. An LSTM
here is TensorFlow's one operation for a whole window (`BlockLSTM`). For a GRU with its reset after the product there
is none; its backward pass is written out, so that the loops hold only what must wait for the row before, and all else
is done for all rows at once. Only training uses them: judging, saving and export see the plain Keras layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def with_kernel(layer: Any) -> Any:
    """The same layer, which in training takes the faster way; a layer that has none here is given back as it is.

    Args:
        layer: A Keras LSTM or GRU with the usual activations and without dropout of its own; of a
            Bidirectional both directions are changed.
    """
    import keras

    if isinstance(layer, keras.layers.Bidirectional):
        with_kernel(layer.forward_layer)
        with_kernel(layer.backward_layer)
    elif isinstance(layer, keras.layers.LSTM):
        _take_over(layer, lstm_rows)
    elif isinstance(layer, keras.layers.GRU) and layer.reset_after:
        _take_over(layer, gru_rows)
    return layer


def _take_over(layer: Any, rows: Callable[..., Any]) -> None:
    """Put the kernel in place of the layer's loop on this one object.

    On the object and not as a class of its own: what is saved is then a plain Keras layer that opens anywhere.
    """
    plain = layer.inner_loop

    def inner_loop(sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        if not training or any(part is not None for part in _parts(mask)) or sequences.dtype != "float32":
            return plain(sequences, initial_state, mask, training=training)
        return _window(layer, rows, sequences, _parts(initial_state))

    layer.inner_loop = inner_loop


def _parts(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _window(layer: Any, rows: Callable[..., Any], sequences: Any, states: list[Any]) -> tuple[Any, Any, list[Any]]:
    """What a Keras loop gives: the last output, all outputs (b, rows, units), and the last states."""
    import tensorflow as tf

    if layer.go_backwards:
        sequences = tf.reverse(sequences, [1])
    weights = (layer.cell.kernel.value, layer.cell.recurrent_kernel.value, layer.cell.bias.value)
    outputs, last = rows(tf.transpose(sequences, [1, 0, 2]), *weights, *states)
    return outputs[-1], tf.transpose(outputs, [1, 0, 2]), last


def lstm_rows(inputs: Any, kernel: Any, recurrent: Any, bias: Any, output: Any, cell: Any) -> tuple[Any, list[Any]]:
    """Outputs (rows, b, units) of an LSTM and its last states.

    Keras orders the gates input, forget, cell, output; the operation input, cell, forget, output. Its second version has
    Keras' order, but TensorFlow (2.21) gives it the gradient of the first, which is then wrong.

    Args:
        inputs: (rows, b, features).
        kernel: (features, 4 · units); recurrent (units, 4 · units); bias (4 · units,).
        output: (b, units), the output before the first row.
        cell: (b, units), the memory before it.
    """
    import tensorflow as tf

    def reordered(values: Any) -> Any:
        gates = tf.split(values, 4, axis=-1)
        return tf.concat([gates[0], gates[2], gates[1], gates[3]], axis=-1)

    no_peephole = tf.zeros([recurrent.shape[0]])
    made = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(inputs)[0], tf.int64),
        x=inputs,
        cs_prev=cell,
        h_prev=output,
        w=reordered(tf.concat([kernel, recurrent], axis=0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=reordered(bias),
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return made.h, [made.h[-1], made.cs[-1]]


def gru_rows(inputs: Any, kernel: Any, recurrent: Any, bias: Any, output: Any) -> tuple[Any, list[Any]]:
    """Outputs (rows, b, units) of a GRU with its reset after the product, and its last state.

    With p = x·W + b and q = h·U + c, both in the order z, r, n: z = σ(p_z + q_z), r = σ(p_r + q_r),
    n = tanh(p_n + r q_n), and the next h = z h + (1 − z) n. For the gradient d of an h, backwards from the last row:
    q_z gets d (h − n) z (1 − z), q_n gets a r with a = d (1 − z)(1 − n²), q_r gets a q_n r (1 − r); p gets the same but a
    at n; the h before gets d z and what comes through U.

    Args:
        inputs: (rows, b, features).
        kernel: (features, 3 · units), W; recurrent (units, 3 · units), U; bias (2, 3 · units), b and c.
        output: (b, units), the output before the first row.

    Source: Cho et al. (2014), arXiv:1406.1078, in the variant of cuDNN and Keras (`reset_after`); the backward pass
    by hand, checked against TensorFlow's.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def run(inputs: Any, kernel: Any, recurrent: Any, bias: Any, output: Any) -> Any:
        made, kept = _gru_forward(inputs, kernel, recurrent, bias, output)

        def backward(slope: Any) -> Any:
            return _gru_backward(slope, inputs, kernel, recurrent, output, made, kept)

        return made, backward

    outputs = run(inputs, kernel, recurrent, bias, output)
    return outputs, [outputs[-1]]


def _gru_forward(inputs: Any, kernel: Any, recurrent: Any, bias: Any, output: Any) -> tuple[Any, Any]:
    """Outputs (rows, b, units), and z, r, n and q_n of each row side by side, (rows, b, 4 · units)."""
    import tensorflow as tf

    n_rows, units = tf.shape(inputs)[0], recurrent.shape[0]
    p = _times(inputs, kernel) + bias[0]

    def step(row: Any, h: Any, made: Any, kept: Any) -> Any:
        q = tf.nn.bias_add(tf.matmul(h, recurrent), bias[1])
        gates = tf.sigmoid(p[row, :, : 2 * units] + q[:, : 2 * units])
        z, r, q_n = gates[:, :units], gates[:, units:], q[:, 2 * units :]
        n = tf.tanh(p[row, :, 2 * units :] + r * q_n)
        h = n + z * (h - n)
        return row + 1, h, made.write(row, h), kept.write(row, tf.concat([gates, n, q_n], axis=1))

    start = (tf.constant(0), output, _rows_array(n_rows, units), _rows_array(n_rows, 4 * units))
    _, _, made, kept = tf.while_loop(lambda row, *_: row < n_rows, step, start, parallel_iterations=1)
    return made.stack(), kept.stack()


def _gru_backward(slope: Any, inputs: Any, kernel: Any, recurrent: Any, output: Any, made: Any, kept: Any) -> Any:
    """Gradients of inputs, kernel, recurrent, bias and first output from that of the outputs (rows, b, units)."""
    import tensorflow as tf

    n_rows, units = tf.shape(inputs)[0], recurrent.shape[0]
    z, r, n, q_n = tf.split(kept, 4, axis=2)
    before = tf.concat([output[tf.newaxis], made[:-1]], axis=0)
    a = (1 - z) * (1 - n * n)
    share = tf.concat([(before - n) * z * (1 - z), a * q_n * r * (1 - r), a * r], axis=2)
    through = tf.transpose(recurrent)

    def step(row: Any, d: Any, slopes: Any) -> Any:
        d = d + slope[row]
        of_q = tf.tile(d, [1, 3]) * share[row]
        return row - 1, d * z[row] + tf.matmul(of_q, through), slopes.write(row, tf.concat([of_q, d], axis=1))

    start = (n_rows - 1, tf.zeros_like(output), _rows_array(n_rows, 4 * units))
    _, first, slopes = tf.while_loop(lambda row, *_: row >= 0, step, start, parallel_iterations=1)
    slopes = slopes.stack()
    of_q = slopes[:, :, : 3 * units]
    of_p = tf.concat([of_q[:, :, : 2 * units], slopes[:, :, 3 * units :] * a], axis=2)
    of_bias = tf.stack([tf.reduce_sum(of_p, axis=[0, 1]), tf.reduce_sum(of_q, axis=[0, 1])])
    return _times(of_p, tf.transpose(kernel)), _summed(inputs, of_p), _summed(before, of_q), of_bias, first


def _rows_array(n_rows: Any, width: int) -> Any:
    """An array that is written row by row, each (b, width)."""
    import tensorflow as tf

    return tf.TensorArray(tf.float32, size=n_rows, element_shape=[None, width])


def _times(values: Any, matrix: Any) -> Any:
    """(rows, b, n) · (n, m) → (rows, b, m) in one product."""
    import tensorflow as tf

    flat = tf.matmul(tf.reshape(values, [-1, matrix.shape[0]]), matrix)
    return tf.reshape(flat, [tf.shape(values)[0], tf.shape(values)[1], matrix.shape[1]])


def _summed(left: Any, right: Any) -> Any:
    """Σ over rows and windows of leftᵀ · right: (rows, b, n), (rows, b, m) → (n, m)."""
    import tensorflow as tf

    return tf.matmul(tf.reshape(left, [-1, left.shape[2]]), tf.reshape(right, [-1, right.shape[2]]), transpose_a=True)
