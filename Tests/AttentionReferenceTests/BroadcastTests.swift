import AttentionReference
import Testing

@Suite struct BroadcastTests {
  @Test func readsAsNumPyDoes() {
    let scalar = ReferenceBroadcast(elements: [7], shape: [])
    let keys = ReferenceBroadcast(elements: [0, 1, 2], shape: [3])
    let matrix = ReferenceBroadcast(elements: Array(0..<6), shape: [2, 3])
    let column = ReferenceBroadcast(elements: [0, 1], shape: [2, 1])
    let heads = ReferenceBroadcast(elements: Array(0..<4), shape: [4, 1, 1])
    let padding = ReferenceBroadcast(elements: Array(0..<15), shape: [5, 1, 1, 3])
    let full = ReferenceBroadcast(elements: Array(0..<120), shape: [5, 4, 2, 3])
    for b in 0..<5 {
      for h in 0..<4 {
        for i in 0..<2 {
          for j in 0..<3 {
            func read(_ array: ReferenceBroadcast<Int>) -> Int { array.element(batch: b, head: h, query: i, key: j) }
            #expect(read(scalar) == 7)
            #expect(read(keys) == j)
            #expect(read(matrix) == 3 * i + j)
            #expect(read(column) == i)
            #expect(read(heads) == h)
            #expect(read(padding) == 3 * b + j)
            #expect(read(full) == ((4 * b + h) * 2 + i) * 3 + j)
          }
        }
      }
    }
  }

  /// A broadcast mask and bias give the same bits as those written out.
  @Test(arguments: UInt64(1)...30) func equalsTheExpandedArray(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var problem = Problem(.random(using: &generator), using: &generator)
    let pairs = problem.shape.pairs
    let axes = ReferenceOptions.broadcastShape(of: pairs, using: &generator)
    let count = axes.reduce(1, *)
    let mask = ReferenceBroadcast(elements: (0..<count).map { _ in generator.coin(0.7) }, shape: axes)
    let bias = ReferenceBroadcast(elements: generator.numbers(count), shape: axes)
    func expanded<Element>(_ array: ReferenceBroadcast<Element>) -> ReferenceBroadcast<Element> {
      var elements: [Element] = []
      for b in 0..<pairs[0] {
        for h in 0..<pairs[1] {
          for i in 0..<pairs[2] {
            for j in 0..<pairs[3] {
              elements.append(array.element(batch: b, head: h, query: i, key: j))
            }
          }
        }
      }
      return ReferenceBroadcast(elements: elements, shape: pairs)
    }
    problem.options.mask = mask
    problem.options.bias = bias
    var written = problem
    written.options.mask = expanded(mask)
    written.options.bias = expanded(bias)
    for implementation in Implementation.allCases {
      #expect(bits(implementation(problem).output) == bits(implementation(written).output), "seed \(seed)")
      #expect(bits(implementation(problem).logSumExp) == bits(implementation(written).logSumExp), "seed \(seed)")
    }
  }
}
