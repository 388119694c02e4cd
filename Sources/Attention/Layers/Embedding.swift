/// A table of vectors:
///
///     y_s = W[token_s]
///
/// Tokens of B sequences of length S, W [count, n] → y [B, S, n]. PyTorch and MLX: `nn.Embedding`.
///
/// ```swift
/// let embedding = Embedding(embeddingCount: 1000, dimensions: 64, seed: 0)
/// let x = embedding([[5, 17, 3], [8, 0, 0]])  // [2, 3, 64]
/// ```
public struct Embedding: Sendable, Equatable {
  /// W, [count, n].
  public var weight: Tensor
  /// A token whose vector is not trained: its gradient is 0. PyTorch's `padding_idx`.
  public var paddingIndex: Int?

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// [count, n].
    public var weight: Tensor
  }

  /// A layer of the given table.
  public init(weight: Tensor, paddingIndex: Int? = nil) {
    require(weight.rank == 2, "Embedding: expected a weight [count, dimensions], got \(weight.shape)")
    self.weight = weight
    self.paddingIndex = paddingIndex
  }

  /// Standard normal numbers, the padding's vector 0, as PyTorch's `nn.Embedding` draws them.
  public init(embeddingCount: Int, dimensions: Int, paddingIndex: Int? = nil, seed: UInt64) {
    require(
      embeddingCount > 0 && dimensions > 0 && paddingIndex.map { 0..<embeddingCount ~= $0 } ?? true,
      """
      Embedding: expected positive sizes and a padding index below the count, got count \(embeddingCount), \
      dimensions \(dimensions), padding index \(paddingIndex.map(String.init) ?? "none")
      """)
    var generator = InitialGenerator(seed: seed)
    weight = .normal([embeddingCount, dimensions], deviation: 1, using: &generator)
    self.paddingIndex = paddingIndex
    if let paddingIndex {
      weight.withMutableScalars { span in
        for column in 0..<dimensions { span[paddingIndex * dimensions + column] = 0 }
      }
    }
  }

  /// S tokens → [S, n].
  public func callAsFunction(_ tokens: [Int]) -> Tensor {
    let width = weight.shape[1]
    for token in tokens {
      require(
        0..<weight.shape[0] ~= token, "Embedding: expected tokens in 0..<\(weight.shape[0]), got \(token)")
    }
    let rows = [Float](unsafeUninitializedCapacity: tokens.count * width) { rows, count in
      weight.scalars.withUnsafeBufferPointer { weight in
        for (index, token) in tokens.enumerated() where width > 0 {
          (rows.baseAddress! + index * width).initialize(from: weight.baseAddress! + token * width, count: width)
        }
      }
      count = tokens.count * width
    }
    return Tensor(rows, shape: [tokens.count, width])
  }

  /// B sequences of S tokens → [B, S, n].
  public func callAsFunction(_ tokens: [[Int]]) -> Tensor {
    let length = tokens.first?.count ?? 0
    require(
      tokens.allSatisfy { $0.count == length },
      "Embedding: expected sequences of one length, got lengths \(tokens.map(\.count))")
    return self(tokens.flatMap { $0 }).reshaped(to: [tokens.count, length, weight.shape[1]])
  }

  /// The output [B, S, n], and the map of its gradient to those of the parameters.
  public func valueWithPullback(
    _ tokens: [[Int]]
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> Gradients) {
    let value = self(tokens)
    let shape = value.shape
    return (
      value,
      { gradient in
        require(gradient.shape == shape, "Embedding: expected an output gradient \(shape), got \(gradient.shape)")
        let width = weight.shape[1]
        var sums = Tensor(repeating: 0, shape: weight.shape)
        sums.withMutableScalars { span in
          for (row, token) in tokens.joined().enumerated() where token != paddingIndex {
            for column in 0..<width { span[token * width + column] += gradient.scalars[row * width + column] }
          }
        }
        return Gradients(weight: sums)
      }
    )
  }
}

extension Embedding: ParameterContainer {
  /// `weight`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { [NamedTensor("weight", weight)] }

  /// Takes `weight`.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    weight = try reader.tensor("weight", shape: weight.shape)
  }
}

extension Embedding.Gradients: NamedTensors {
  /// `weight`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { [NamedTensor("weight", weight)] }
}
