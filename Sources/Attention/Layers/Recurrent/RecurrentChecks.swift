extension RecurrentStack {
  /// Layers with parameters drawn from the seed, uniform in ±1/√H, in PyTorch's order.
  static func initialLayers(
    _ kind: RecurrentKind, _ inputDimensions: Int, _ hiddenDimensions: Int, _ numLayers: Int, bidirectional: Bool,
    bias: Bool, seed: UInt64
  ) -> [RecurrentLayer] {
    require(
      inputDimensions > 0 && hiddenDimensions > 0 && numLayers > 0,
      """
      \(kind.name): expected positive sizes, got inputDimensions \(inputDimensions), hiddenDimensions \
      \(hiddenDimensions), numLayers \(numLayers)
      """)
    var generator = InitialGenerator(seed: seed)
    let (rows, bound) = (kind.gates * hiddenDimensions, 1 / Double(hiddenDimensions).squareRoot())
    return (0..<numLayers).map { layer in
      let width = layer == 0 ? inputDimensions : (bidirectional ? 2 : 1) * hiddenDimensions
      return RecurrentLayer(
        cells: (0..<(bidirectional ? 2 : 1)).map { _ in
          RecurrentCell(
            inputWeight: .uniform([rows, width], bound: bound, using: &generator),
            hiddenWeight: .uniform([rows, hiddenDimensions], bound: bound, using: &generator),
            inputBias: bias ? .uniform([rows], bound: bound, using: &generator) : nil,
            hiddenBias: bias ? .uniform([rows], bound: bound, using: &generator) : nil)
        })
    }
  }

  /// That the parameters fit together.
  func check() {
    require(
      dropout >= 0 && dropout < 1, "\(kind.name): expected a dropout probability in 0..<1, got \(dropout)")
    require(!layers.isEmpty, "\(kind.name): expected at least one layer")
    let first = layers[0].forward
    require(
      first.inputWeight.rank == 2 && first.hiddenWeight.rank == 2 && first.hiddenWeight.shape[1] > 0,
      """
      \(kind.name): expected weights [\(kind.gates)·H, I] and [\(kind.gates)·H, H], got \
      \(first.inputWeight.shape) and \(first.hiddenWeight.shape)
      """)
    let (h, rows) = (hiddenDimensions, kind.gates * hiddenDimensions)
    for (index, layer) in layers.enumerated() {
      require(
        (layer.reverse == nil) == (directions == 1),
        "\(kind.name): layer \(index) differs from layer 0 in its directions")
      for cell in layer.cells {
        let width = index == 0 ? inputDimensions : outputDimensions
        require(
          cell.inputWeight.shape == [rows, width] && cell.hiddenWeight.shape == [rows, h],
          """
          \(kind.name): expected weights [\(rows), \(width)] and [\(rows), \(h)] in layer \(index), got \
          \(cell.inputWeight.shape) and \(cell.hiddenWeight.shape)
          """)
        for bias in [cell.inputBias, cell.hiddenBias] {
          require(
            bias == nil || bias!.shape == [rows],
            "\(kind.name): expected a bias [\(rows)] in layer \(index), got \(bias!.shape)")
        }
      }
    }
  }

  func check(_ x: Tensor, _ lengths: [Int]?, _ initial: States?) {
    check()
    require(
      x.rank == 3 && x.shape[2] == inputDimensions, "\(kind.name): expected [B, T, \(inputDimensions)], got \(x.shape)")
    if let lengths {
      require(
        lengths.count == x.shape[0] && lengths.allSatisfy { 0...x.shape[1] ~= $0 },
        "\(kind.name): expected \(x.shape[0]) lengths in 0...\(x.shape[1]), got \(lengths)")
    }
    if let initial { check(initial, batch: x.shape[0], "an initial state") }
  }

  func check(outputGradient: Tensor, _ final: States?, _ steps: PackedSteps) {
    let shape = [steps.batch, steps.paddedSteps, outputDimensions]
    require(
      outputGradient.shape == shape,
      "\(kind.name): expected an output gradient \(shape), got \(outputGradient.shape)")
    if let final { check(final, batch: steps.batch, "a state gradient") }
  }

  private func check(_ states: States, batch: Int, _ what: String) {
    let shape = [layers.count * directions, batch, hiddenDimensions]
    for state in [states.hidden, states.cell].compactMap({ $0 }) {
      require(state.shape == shape, "\(kind.name): expected \(what) \(shape), got \(state.shape)")
    }
  }
}
