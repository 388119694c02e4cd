extension RecurrentStack {
  /// From the gradients of the output and of the final states to those of parameters, input and initial states.
  func pullback(
    _ trace: Trace, output: Tensor, final: States?, dropoutSeed seed: UInt64?
  ) -> (parameters: RecurrentGradients, input: Tensor, initial: States) {
    let steps = trace.steps
    check(outputGradient: output, final, steps)
    var gradient = steps.pack(output.scalars, width: outputDimensions)
    var (hidden, cells, layerGradients): ([[Float]], [[Float]], [RecurrentLayer]) = ([], [], [])
    for index in layers.indices.reversed() {
      let result = pullback(index, trace.layers[index], gradient, final, steps)
      hidden = result.hidden + hidden
      cells = result.cells + cells
      layerGradients.insert(result.parameters, at: 0)
      gradient = result.input
      if index > 0, let dropout = dropout(below: index, seed: seed) {
        gradient = dropout(gradient, steps, width: outputDimensions)
      }
    }
    let input = Tensor(
      steps.unpack(gradient, width: inputDimensions), shape: [steps.batch, steps.paddedSteps, inputDimensions])
    let initial = States(
      hidden: steps.unsorted(hidden, width: hiddenDimensions),
      cell: kind == .lstm ? steps.unsorted(cells, width: hiddenDimensions) : nil)
    return (RecurrentGradients(layers: layerGradients), input, initial)
  }

  /// One layer's, given the packed gradient of its output; hidden and cells are those of the initial states.
  private func pullback(
    _ index: Int, _ trace: LayerTrace, _ gradient: [Float], _ final: States?, _ steps: PackedSteps
  ) -> (parameters: RecurrentLayer, input: [Float], hidden: [[Float]], cells: [[Float]]) {
    let (h, wide, gateWidth) = (hiddenDimensions, outputDimensions, kind.gates * hiddenDimensions)
    var (hidden, cells, parameters): ([[Float]], [[Float]], [RecurrentCell]) = ([], [], [])
    var input: [Float] = []
    for (direction, cell) in layers[index].cells.enumerated() {
      let state = index * directions + direction
      let part = trace.cells[direction]
      let result = trace.hidden.withUnsafeBufferPointer { outputs in
        gradient.withUnsafeBufferPointer { gradient in
          Kernel.recurrenceBackward(
            part.recurrence, gates: part.gates, cell: part.cell, hidden: outputs.baseAddress.map { $0 + direction * h },
            hiddenGradient: gradient.baseAddress.map { $0 + direction * h }, hiddenRow: wide,
            finalHidden: final.map { steps.sorted($0.hidden, state) },
            finalCell: final?.cell.map { steps.sorted($0, state) })
        }
      }
      let width = cell.inputWeight.shape[1]
      if direction == 0 {
        input = Kernel.matrixProduct(
          result.gates, cell.inputWeight.scalars, m: steps.rows, n: width, k: gateWidth)
      } else {
        Kernel.addMatrixProduct(
          result.gates, cell.inputWeight.scalars, to: &input, m: steps.rows, n: width, k: gateWidth)
      }
      let inputWeight = Kernel.matrixProduct(
        result.gates, transposingA: true, trace.input, m: gateWidth, n: width, k: steps.rows)
      parameters.append(
        RecurrentCell(
          inputWeight: Tensor(inputWeight, shape: [gateWidth, width]),
          hiddenWeight: Tensor(result.weight, shape: [gateWidth, h]),
          inputBias: result.inputBias.map { Tensor($0, shape: [gateWidth]) },
          hiddenBias: result.hiddenBias.map { Tensor($0, shape: [gateWidth]) }))
      hidden.append(result.initialHidden)
      if let initialCell = result.initialCell { cells.append(initialCell) }
    }
    return (RecurrentLayer(cells: parameters), input, hidden, cells)
  }
}
