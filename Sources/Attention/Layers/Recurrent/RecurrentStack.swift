/// What ``LSTM`` and ``GRU`` share: layers and directions, packing, dropout between layers, and the checks.
struct RecurrentStack: Sendable {
  var kind: RecurrentKind
  var layers: [RecurrentLayer]
  var dropout: Double

  /// States of all layers and directions, [L·directions, B, H] each.
  struct States {
    var hidden: Tensor
    /// An LSTM's c.
    var cell: Tensor?
  }

  /// What the backward pass reads of one direction of one layer.
  struct CellTrace: Sendable {
    var recurrence: Kernel.Recurrence
    var gates, cell: [Float]
  }

  /// What it reads of a layer: the packed input and output, [N, I] and [N, directions·H].
  struct LayerTrace: Sendable {
    var input, hidden: [Float]
    var cells: [CellTrace]
  }

  struct Trace: Sendable {
    var steps: PackedSteps
    var layers: [LayerTrace]
  }

  var hiddenDimensions: Int { layers[0].forward.hiddenWeight.shape[1] }
  var inputDimensions: Int { layers[0].forward.inputWeight.shape[1] }
  var directions: Int { layers[0].reverse == nil ? 1 : 2 }
  var outputDimensions: Int { directions * hiddenDimensions }

  /// The output [B, T, directions·H], the final states and what the backward pass needs.
  func forward(
    _ x: Tensor, lengths: [Int]?, initial: States?, dropoutSeed seed: UInt64?
  ) -> (output: Tensor, final: States, trace: Trace) {
    check(x, lengths, initial)
    let steps = PackedSteps(batch: x.shape[0], steps: x.shape[1], lengths: lengths)
    var input = steps.pack(x.scalars, width: inputDimensions)
    var (hidden, cells, traces): ([[Float]], [[Float]], [LayerTrace]) = ([], [], [])
    for index in layers.indices {
      if index > 0, let dropout = dropout(below: index, seed: seed) {
        input = dropout(input, steps, width: outputDimensions)
      }
      let layer = forward(index, input, steps, initial)
      hidden += layer.finalHidden
      cells += layer.finalCells
      input = layer.trace.hidden
      traces.append(layer.trace)
    }
    let output = Tensor(
      steps.unpack(input, width: outputDimensions), shape: [x.shape[0], x.shape[1], outputDimensions])
    let final = States(
      hidden: steps.unsorted(hidden, width: hiddenDimensions),
      cell: kind == .lstm ? steps.unsorted(cells, width: hiddenDimensions) : nil)
    return (output, final, Trace(steps: steps, layers: traces))
  }

  private func forward(
    _ index: Int, _ input: [Float], _ steps: PackedSteps, _ initial: States?
  ) -> (trace: LayerTrace, finalHidden: [[Float]], finalCells: [[Float]]) {
    let (h, wide) = (hiddenDimensions, outputDimensions)
    var (finalHidden, finalCells, traces): ([[Float]], [[Float]], [CellTrace]) = ([], [], [])
    let hidden = [Float](unsafeUninitializedCapacity: steps.rows * wide) { hidden, count in
      for (direction, cell) in layers[index].cells.enumerated() {
        let state = index * directions + direction
        let recurrence = Kernel.Recurrence(
          kind: kind, batch: steps.batch, hiddenDimensions: h, stepRows: steps.stepRows, isReverse: direction == 1,
          weight: cell.hiddenWeight.scalars, inputBias: cell.inputBias?.scalars,
          hiddenBias: cell.hiddenBias?.scalars, initialHidden: initial.map { steps.sorted($0.hidden, state) },
          initialCell: initial?.cell.map { steps.sorted($0, state) })
        var gates = Kernel.matrixProduct(
          input, cell.inputWeight.scalars, transposingB: true, m: steps.rows, n: kind.gates * h,
          k: cell.inputWeight.shape[1])
        let result = Kernel.recurrenceForward(
          recurrence, gates: &gates, hidden: hidden.baseAddress.map { $0 + direction * h }, hiddenRow: wide)
        finalHidden.append(result.finalHidden)
        if let finalCell = result.finalCell { finalCells.append(finalCell) }
        traces.append(CellTrace(recurrence: recurrence, gates: gates, cell: result.cell))
      }
      count = steps.rows * wide
    }
    return (LayerTrace(input: input, hidden: hidden, cells: traces), finalHidden, finalCells)
  }

  /// What drops elements on the way into layer `index`; nil for nothing.
  func dropout(below index: Int, seed: UInt64?) -> RecurrentDropout? {
    guard dropout > 0, let seed = dropoutSeed(seed, place: index) else { return nil }
    return RecurrentDropout(probability: dropout, seed: seed)
  }
}
