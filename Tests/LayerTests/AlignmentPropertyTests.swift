import Attention
import Testing

/// What holds of every layer that aligns queries with keys.
@Suite struct AlignmentPropertyTests {
  /// Sums of weights and permuted results may differ by rounding: 19 keys and as many additions in another order, each
  /// half a unit in the last place of 1 or less, numerator and denominator.
  static let rounding: Float = 4 * 19 * 0x1p-24

  @Test(arguments: AlignmentRow.all) func weightsAreShares(row: AlignmentRow) {
    let inputs = AlignmentInput(row)
    let mask = inputs.maskWithEmptyRows
    for (n, sum) in row.weights(inputs.queries, keys: inputs.keys, mask: .none).rowSums().enumerated() {
      row.expect(sum, "row \(n)")
    }
    let (context, weights) = row.attend(inputs.queries, keys: inputs.keys, values: inputs.values, mask: mask)
    #expect(weights.scalars.allSatisfy { (0...1).contains($0) })
    let width = context.shape[2]
    for (n, sum) in weights.rowSums().enumerated() {
      if inputs.isEmpty(row: n) {
        #expect(sum == 0 && context.scalars[n * width..<(n + 1) * width].allSatisfy { $0 == 0 }, "row \(n)")
      } else {
        row.expect(sum, "row \(n)")
      }
    }
  }

  /// Keys, and values with them, in another order: the weights in that order, and the same context.
  @Test(arguments: AlignmentRow.all.filter(\.isPermutable)) func keysInAnotherOrder(row: AlignmentRow) throws {
    let inputs = AlignmentInput(row)
    let order = (0..<inputs.keyLength).map { ($0 * 7 + 3) % inputs.keyLength }
    let (context, weights) = row.attend(inputs.queries, keys: inputs.keys, values: inputs.values)
    let other = row.attend(
      inputs.queries, keys: inputs.keys.permutedRows(order), values: inputs.values?.permutedRows(order))
    let expected = weights.transposedRows.permutedRows(order).transposedRows
    #expect(try distance(other.weights, expected) <= Self.rounding)
    #expect(try distance(other.weights, weights) > 100 * Self.rounding)
    #expect(try distance(other.context, context) <= row.valueSize * Self.rounding)
    #expect(context.scalars.contains { $0.magnitude > 100 * row.valueSize * Self.rounding })
  }

  /// A sequence in a padded batch has the bits it has alone, forward and backward, though the padding is NaN.
  @Test(arguments: AlignmentRow.all) func paddedBatchIsEachAlone(row: AlignmentRow) {
    func check<Layer: AlignmentLayer>(_ layer: Layer) {
      let inputs = AlignmentInput(row)
      let lengths = [19, 8, 1]
      let padded = inputs.withNotANumber(beyond: lengths)
      let mask = AttentionMask.keyLengths(lengths)
      let (value, pullback) = layer.valueWithPullback(
        inputs.queries, keys: padded.keys, values: padded.values, mask: mask)
      let outputGradient = inputs.outputGradient(like: value)
      let gradients = pullback(outputGradient)
      let weights = row.weights(inputs.queries, keys: padded.keys, mask: mask)
      for (b, length) in lengths.enumerated() {
        func alone(_ x: Tensor) -> Tensor { x.sequence(b).prefix(length) }
        let (own, ownPullback) = layer.valueWithPullback(
          inputs.queries.sequence(b), keys: alone(inputs.keys), values: inputs.values.map(alone), mask: .none)
        let ownGradients = ownPullback(outputGradient.sequence(b))
        let ownWeights = row.weights(inputs.queries.sequence(b), keys: alone(inputs.keys), mask: .none)
        #expect(value.sequence(b) == own, "context \(b)")
        #expect(gradients.queries.sequence(b) == ownGradients.queries, "queries \(b)")
        #expect(alone(gradients.keys) == ownGradients.keys, "keys \(b)")
        #expect(gradients.values.map(alone) == ownGradients.values, "values \(b)")
        let columns = weights.sequence(b).transposedRows
        #expect(columns.prefix(length).transposedRows == ownWeights, "weights \(b)")
        #expect(columns.rowSums().dropFirst(length).allSatisfy { $0 == 0 })
        #expect(gradients.keys.sequence(b).rowSums().dropFirst(length).allSatisfy { $0 == 0 })
      }
    }
    check(row.layer)
  }

  /// NaN in masked keys and values, and in queries that may attend to nothing, reaches no result and no gradient: not
  /// those of the parameters either, even though the output gradient of such a row is not zero, or NaN too.
  @Test(arguments: AlignmentRow.all) func maskedNotANumberDoesNotLeak(row: AlignmentRow) throws {
    func check<Layer: AlignmentLayer>(_ layer: Layer) throws {
      let inputs = AlignmentInput(row)
      let mask = inputs.maskWithEmptyRows
      var dirty = inputs.withNotANumber(beyond: inputs.lengths)
      let clean = layer.valueWithPullback(inputs.queries, keys: inputs.keys, values: inputs.values, mask: mask)
      let width = row.queryDimensions
      var queries = inputs.queries.scalars
      for n in 0..<queries.count / width where inputs.isEmpty(row: n) {
        for d in 0..<width { queries[n * width + d] = d == 0 ? .infinity : .nan }
      }
      dirty.queries = Tensor(queries, shape: inputs.queries.shape)
      let poisoned = layer.valueWithPullback(dirty.queries, keys: dirty.keys, values: dirty.values, mask: mask)
      #expect(poisoned.value == clean.value)
      let gradient = inputs.outputGradient(like: clean.value)
      let (expected, actual) = (clean.pullback(gradient), poisoned.pullback(gradient))
      #expect(actual.queries == expected.queries && actual.keys == expected.keys && actual.values == expected.values)
      let (own, theirs) = (
        try #require(expected.parameters as? any NamedTensors).parameters,
        try #require(actual.parameters as? any NamedTensors).parameters
      )
      #expect(own == theirs && own.allSatisfy { $0.tensor.scalars.allSatisfy(\.isFinite) })
      #expect(row.testDescription == "hard" || own.allSatisfy { $0.tensor.scalars.contains { $0 != 0 } })
    }
    try check(row.layer)
  }

  /// NaN in a query that sees something makes its own context NaN, and no other but those that depend on it.
  @Test(arguments: AlignmentRow.all.filter(\.propagatesNotANumber)) func visibleNotANumberPropagates(row: AlignmentRow)
  {
    let inputs = AlignmentInput(row)
    var queries = inputs.queries
    queries[1, 3, 2] = .nan
    let mask = AttentionMask.keyLengths([19, 8, 1])
    let dirty = inputs.withNotANumber(beyond: [19, 8, 1])
    let clean = row.layer(inputs.queries, keys: dirty.keys, values: dirty.values, mask: mask)
    let poisoned = row.layer(queries, keys: dirty.keys, values: dirty.values, mask: mask)
    let width = clean.shape[2]
    for n in 0..<clean.count {
      if row.isSequential && n / width == 1 * 5 + 4 { continue }
      if n / width == 1 * 5 + 3 {
        #expect(poisoned.scalars[n].isNaN, "\(n)")
      } else {
        #expect(poisoned.scalars[n] == clean.scalars[n], "\(n)")
      }
    }
  }
}

extension AlignmentRow {
  fileprivate func expect(_ sum: Double, _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    switch total {
    case .one:
      #expect((sum - 1).magnitude <= Double(AlignmentPropertyTests.rounding), comment, sourceLocation: sourceLocation)
    case .atMostOne:
      #expect(
        sum > 0 && sum <= 1 + Double(AlignmentPropertyTests.rounding), comment, sourceLocation: sourceLocation)
    }
  }
}

/// Random inputs of the sizes that a row asks for: 3 sequences of 5 queries and 19 keys.
struct AlignmentInput {
  let row: AlignmentRow
  var queries, keys: Tensor
  var values: Tensor?
  let keyLength = 19
  /// With these, and query 2 hidden from all keys, some rows are empty.
  let lengths = [19, 8, 0]

  init(_ row: AlignmentRow) {
    self.row = row
    var numbers = AlignmentNumbers(seed: 17)
    queries = numbers.tensor([3, 5, row.queryDimensions])
    keys = numbers.tensor([3, keyLength, row.keyDimensions])
    values = row.valueDimensions.map { numbers.tensor([3, 19, $0]) }
  }

  var maskWithEmptyRows: AttentionMask {
    .keyLengths(lengths) & .boolean((0..<5).map { $0 != 2 }, shape: [5, 1])
  }

  /// Whether the mask lets row n of [B·Tq] see nothing.
  func isEmpty(row n: Int) -> Bool { n % 5 == 2 || lengths[n / 5] == 0 }

  func outputGradient(like context: Tensor) -> Tensor {
    var numbers = AlignmentNumbers(seed: 18)
    return numbers.tensor(context.shape)
  }

  func withNotANumber(beyond lengths: [Int]) -> AlignmentInput {
    func poisoned(_ x: Tensor) -> Tensor {
      var x = x
      for (b, length) in lengths.enumerated() {
        for j in length..<keyLength { for d in 0..<x.shape[2] { x[b, j, d] = .nan } }
      }
      return x
    }
    var copy = self
    copy.keys = poisoned(keys)
    copy.values = values.map(poisoned)
    return copy
  }
}
