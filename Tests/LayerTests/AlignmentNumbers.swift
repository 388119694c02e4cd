import Attention
import AttentionTestSupport
import Testing

typealias AlignmentNumbers = SeededGenerator

extension SeededGenerator {
  /// Uniform in −1...1.
  mutating func tensor(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &self) }, shape: shape)
  }
}

extension Tensor {
  /// [n, m, x] → rows `order` of axis 1.
  func permutedRows(_ order: [Int]) -> Tensor {
    let width = shape[2]
    var rows: [Float] = []
    for batch in 0..<shape[0] {
      for row in order {
        let first = (batch * shape[1] + row) * width
        rows += scalars[first..<first + width]
      }
    }
    return Tensor(rows, shape: [shape[0], order.count, width])
  }

  /// [n, ...] → [1, ...].
  func sequence(_ batch: Int) -> Tensor {
    let size = count / shape[0]
    return Tensor(Array(scalars[batch * size..<(batch + 1) * size]), shape: [1] + shape.dropFirst())
  }

  /// [n, m, x] → [n, length, x].
  func prefix(_ length: Int) -> Tensor { permutedRows(Array(0..<length)) }

  /// [n, a, b] → [n, b, a].
  var transposedRows: Tensor {
    var out = Tensor(repeating: 0, shape: [shape[0], shape[2], shape[1]])
    for n in 0..<shape[0] { for a in 0..<shape[1] { for b in 0..<shape[2] { out[n, b, a] = self[n, a, b] } } }
    return out
  }

  func rowSums() -> [Double] {
    let width = shape[rank - 1]
    return stride(from: 0, to: count, by: width).map { scalars[$0..<$0 + width].reduce(0) { $0 + Double($1) } }
  }
}

/// The largest distance between numbers of two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) throws -> Float {
  try #require(a.shape == b.shape && a.count > 0)
  return zip(a.scalars, b.scalars).map { ($0 - $1).magnitude }.max() ?? .infinity
}

/// Expects a stopped process to have said all of `texts`.
func expect(_ exit: ExitTest.Result?, says texts: String...) throws {
  let said = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
  for text in texts { #expect(said.contains(text), "\(said)") }
}
