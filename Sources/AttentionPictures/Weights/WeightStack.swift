import Attention

/// The weights of several layers and heads over the same queries and keys, for ``htmlPage(selectedQuery:)``.
///
/// ```swift
/// let stack = WeightStack(attentionWeights(queries: q, keys: k).reshaped(to: [8, 12, 12]), labels: tokens)
/// try stack.htmlPage().write(toFile: "heads.html", atomically: true, encoding: .utf8)
/// ```
public struct WeightStack: Sendable, Equatable {
  /// The heads of one layer.
  public struct Layer: Sendable, Equatable {
    /// What the layer is called.
    public let name: String
    /// What its heads are called.
    public let headNames: [String]
    /// [H, Sq, Sk].
    public let weights: Tensor

    /// A layer of weights [H, Sq, Sk], or [Sq, Sk] of its only head. Heads are named by index unless named.
    public init(_ name: String, weights: Tensor, headNames: [String]? = nil) {
      require(
        2...3 ~= weights.rank, "WeightStack: expected weights [H, Sq, Sk] or [Sq, Sk] of a layer, got \(weights.shape)")
      self.weights = weights.rank == 3 ? weights : weights.reshaped(to: [1] + weights.shape)
      self.name = name
      self.headNames = headNames ?? (0..<self.weights.shape[0]).map(String.init)
      require(
        self.headNames.count == self.weights.shape[0],
        "WeightStack: expected \(self.weights.shape[0]) head names for weights \(weights.shape), "
          + "got \(self.headNames.count)")
    }
  }

  /// The layers, at least one.
  public let layers: [Layer]
  /// A name for each query; its index unless given.
  public let queryLabels: [String]
  /// A name for each key; its index unless given.
  public let keyLabels: [String]
  /// What stands above the picture.
  public var title: String?

  /// Layers of the same queries and keys. Stops when shapes or labels do not fit together.
  public init(
    layers: [Layer], queryLabels: [String]? = nil, keyLabels: [String]? = nil, title: String? = nil
  ) {
    require(!layers.isEmpty, "WeightStack: expected at least one layer, got none")
    let extents = Array(layers[0].weights.shape[1...])
    for layer in layers {
      require(
        Array(layer.weights.shape[1...]) == extents && layer.weights.shape[0] > 0,
        "WeightStack: expected weights [H, \(extents[0]), \(extents[1])] with H > 0 of layer \(layer.name), "
          + "got \(layer.weights.shape)")
    }
    checkLabels("WeightStack", queryLabels, keyLabels, queries: extents[0], keys: extents[1])
    self.layers = layers
    self.queryLabels = queryLabels ?? (0..<extents[0]).map(String.init)
    self.keyLabels = keyLabels ?? (0..<extents[1]).map(String.init)
    self.title = title
  }

  /// One layer of weights [H, Sq, Sk] or [Sq, Sk]; `labels` name queries and keys of self-attention.
  public init(_ weights: Tensor, labels: [String]? = nil, title: String? = nil) {
    self.init(layers: [Layer("0", weights: weights)], queryLabels: labels, keyLabels: labels, title: title)
  }

  /// One head of one layer, both by position.
  public func matrix(layer: Int, head: Int) -> WeightMatrix {
    require(
      layers.indices ~= layer && layers[layer].headNames.indices ~= head,
      "WeightStack: there is no head \(head) of layer \(layer)")
    let size = queryLabels.count * keyLabels.count
    return matrix(Array(layers[layer].weights.scalars[head * size..<(head + 1) * size]))
  }

  /// The mean of the heads of one layer: Σ_h α_hij ÷ H, summed in double precision.
  public func mean(layer: Int) -> WeightMatrix {
    require(layers.indices ~= layer, "WeightStack: there is no layer \(layer)")
    let (scalars, heads) = (layers[layer].weights.scalars, layers[layer].headNames.count)
    let size = queryLabels.count * keyLabels.count
    return matrix(
      (0..<size).map { index in
        Float((0..<heads).reduce(0.0) { $0 + Double(scalars[$1 * size + index]) } / Double(heads))
      })
  }

  private func matrix(_ scalars: [Float]) -> WeightMatrix {
    WeightMatrix(
      scalars, queries: queryLabels.count, keys: keyLabels.count, queryLabels: queryLabels, keyLabels: keyLabels,
      title: title)
  }
}
