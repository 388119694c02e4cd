import Attention
import Foundation

/// LSTM and GRU as loops in `Double`, written from the formulas: an oracle for values and, by finite differences, for
/// gradients.
struct NaiveRecurrence {
  let isLSTM: Bool
  let layers: [RecurrentLayer]
  /// By PyTorch's names.
  var parameters: [String: [Double]]

  init(_ layer: AnyRecurrent) {
    isLSTM = layer.isLSTM
    layers = layer.layers
    parameters = Dictionary(
      uniqueKeysWithValues: layer.parameters.map { ($0.name, $0.tensor.scalars.map(Double.init)) })
  }

  typealias Sequence = [[Double]]

  /// Output [B][T][directions·H], final h and c [L·directions][B][H].
  func run(
    _ x: [Sequence], lengths: [Int], hidden: [[[Double]]], cell: [[[Double]]]
  ) -> (output: [Sequence], hidden: [[[Double]]], cell: [[[Double]]]) {
    var (output, finalHidden, finalCell) = (x, hidden, cell)
    for batch in x.indices {
      var sequence = Array(x[batch].prefix(lengths[batch]))
      var index = 0
      for (number, layer) in layers.enumerated() {
        var next = [[Double]](repeating: [], count: sequence.count)
        for direction in 0..<(layer.reverse == nil ? 1 : 2) {
          var (h, c) = (hidden[index][batch], cell[index][batch])
          let suffix = "_l\(number)" + (direction == 1 ? "_reverse" : "")
          let steps = direction == 0 ? Array(sequence.indices) : sequence.indices.reversed()
          for step in steps {
            (h, c) = advance(sequence[step], h, c, suffix)
            next[step] += h
          }
          (finalHidden[index][batch], finalCell[index][batch]) = (h, c)
          index += 1
        }
        sequence = next
      }
      let width = hidden[0][0].count * (layers[0].reverse == nil ? 1 : 2)
      let padding = [[Double]](repeating: [Double](repeating: 0, count: width), count: x[batch].count - sequence.count)
      output[batch] = sequence + padding
    }
    return (output, finalHidden, finalCell)
  }

  private func advance(_ x: [Double], _ h: [Double], _ c: [Double], _ suffix: String) -> ([Double], [Double]) {
    let size = h.count
    func affine(_ name: String, _ v: [Double], _ row: Int) -> Double {
      let weight = parameters["weight_\(name)\(suffix)"]!
      let bias = parameters["bias_\(name)\(suffix)"]?[row] ?? 0
      return v.indices.reduce(bias) { $0 + weight[row * v.count + $1] * v[$1] }
    }
    func σ(_ a: Double) -> Double { 1 / (1 + exp(-a)) }
    var (newH, newC) = (h, c)
    for unit in 0..<size {
      func input(_ gate: Int) -> Double { affine("ih", x, gate * size + unit) }
      func recurrent(_ gate: Int) -> Double { affine("hh", h, gate * size + unit) }
      if isLSTM {
        let (i, f) = (σ(input(0) + recurrent(0)), σ(input(1) + recurrent(1)))
        let (g, o) = (tanh(input(2) + recurrent(2)), σ(input(3) + recurrent(3)))
        newC[unit] = f * c[unit] + i * g
        newH[unit] = o * tanh(newC[unit])
      } else {
        let (r, z) = (σ(input(0) + recurrent(0)), σ(input(1) + recurrent(1)))
        let n = tanh(input(2) + r * recurrent(2))
        newH[unit] = (1 - z) * n + z * h[unit]
      }
    }
    return (newH, newC)
  }
}

extension Tensor {
  /// A tensor of rank 3 as nested arrays, moved by step times another.
  func nested(moved direction: Tensor? = nil, by step: Double = 0) -> [[[Double]]] {
    let (rows, width) = (shape[1], shape[2])
    return (0..<shape[0]).map { i in
      (0..<rows).map { j in
        (0..<width).map { k in
          let at = (i * rows + j) * width + k
          return Double(scalars[at]) + step * Double(direction?.scalars[at] ?? 0)
        }
      }
    }
  }
}
