import AttentionReference
import Safetensors
import Testing

/// Each optional tensor of the input file against the oracle.
@Suite struct InputTensorTests {
  /// Shapes that broadcast to [B, H, Sq, Sk] = [2, 4, 5, 7].
  static let broadcastShapes: [[Int]] = [
    [7], [1], [], [5, 7], [5, 1], [1, 7], [4, 5, 7], [4, 1, 1], [1, 5, 7], [2, 4, 5, 7], [2, 1, 1, 7], [2, 1, 5, 1],
    [1, 4, 1, 7], [1, 1, 1, 1],
  ]

  @Test(arguments: broadcastShapes, [SafetensorsType.bool, .u8])
  func mask(shape: [Int], type: SafetensorsType) throws {
    var problem = Problem()
    var generator = SeededGenerator(seed: 5)
    // A mask of one element hides everything; otherwise some pairs.
    let count = shape.reduce(1, *)
    let attend = (0..<count).map { _ in count > 1 && generator.coin(0.6) }
    problem.add("mask", attend.map { $0 ? 1 : 0 }, shape: shape, as: type)
    problem.options.mask = ReferenceBroadcast(elements: attend, shape: shape)
    try problem.expectOracleResults()
  }

  /// Any byte but 0 is true.
  @Test func maskBytes() throws {
    var problem = Problem()
    problem.add("mask", [0, 1, 2, 255, 0, 128, 1], shape: [7], as: .u8)
    problem.options.mask = ReferenceBroadcast(elements: [false, true, true, true, false, true, true], shape: [7])
    try problem.expectOracleResults()
  }

  /// What is masked is not read: NaN and ∞ there change nothing.
  @Test(arguments: [SafetensorsType.f32, .f64, .bf16])
  func maskedNumbersDoNotLeak(type: SafetensorsType) throws {
    var problem = Problem(type: type)
    problem.add("key_lengths", [5, 3], shape: [2], as: .i64)
    problem.options.keyLengths = [5, 3]
    let clean = try problem.run()
    let (rows, D, Dv) = (problem.shape.keyLength, problem.shape.headDimension, problem.shape.valueDimension)
    for b in 0..<2 {
      for g in 0..<2 {
        for j in problem.options.keyLengths![b]..<rows {
          let row = (b * 2 + g) * rows + j
          for d in 0..<D { problem.keys[row * D + d] = .nan }
          for d in 0..<Dv { problem.values[row * Dv + d] = j % 2 == 0 ? .infinity : .nan }
        }
      }
    }
    #expect(try problem.run() == clean)
  }

  /// NaN in a visible key or value arrives where the oracle has it.
  @Test func visibleNumbersPropagate() throws {
    var problem = Problem()
    problem.keys[3] = .nan
    problem.values[problem.values.count - 1] = .infinity
    try problem.expectOracleResults(optionsMatter: false)
  }

  @Test(arguments: broadcastShapes, [SafetensorsType.f32, .f64])
  func bias(shape: [Int], type: SafetensorsType) throws {
    var generator = SeededGenerator(seed: 6)
    let bias = generator.numbers(shape.reduce(1, *)).map { Double(Float($0)) }
    var problem = Problem(type: type)
    problem.add("bias", bias, shape: shape, as: type)
    problem.options.bias = ReferenceBroadcast(elements: bias, shape: shape)
    try problem.expectOracleResults()
  }

  /// A bias of any floating-point type goes with every type of the queries.
  @Test(arguments: SafetensorsType.attentionTypes, SafetensorsType.attentionTypes)
  func biasOfOtherTypes(type: SafetensorsType, biasType: SafetensorsType) throws {
    let bias = (0..<35).map { Double($0 % 11 - 5) / 4 }
    var problem = Problem(type: type)
    problem.add("bias", bias, shape: [5, 7], as: biasType)
    problem.options.bias = ReferenceBroadcast(elements: bias, shape: [5, 7])
    try problem.expectOracleResults()
  }

  /// −∞ in a bias is a score of −∞, not a mask.
  @Test func biasOfMinusInfinity() throws {
    var bias = [Double](repeating: 0.5, count: 35)
    for pair in [0, 8, 20] { bias[pair] = -.infinity }
    var problem = Problem()
    problem.add("bias", bias, shape: [5, 7], as: .f32)
    problem.options.bias = ReferenceBroadcast(elements: bias, shape: [5, 7])
    try problem.expectOracleResults()
  }

  @Test(
    arguments: [
      [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0],
      [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1],
      [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
    ], [SafetensorsType.bool, .u8])
  func keyMask(elements: [Int], type: SafetensorsType) throws {
    var problem = Problem()
    problem.add("key_mask", elements, shape: [2, 7], as: type)
    problem.options.mask = ReferenceBroadcast(elements: elements.map { $0 != 0 }, shape: [2, 1, 1, 7])
    try problem.expectOracleResults()
  }

  /// The pairs that both let through, also when the mask has fewer axes or repeats along the keys.
  @Test(arguments: [[7], [], [5, 7], [5, 1], [4, 1, 7], [2, 4, 5, 7], [2, 1, 1, 1]])
  func maskWithKeyMask(shape: [Int]) throws {
    var generator = SeededGenerator(seed: 8)
    let padding = (0..<14).map { $0 % 7 != 2 && $0 != 9 }
    let own = (0..<shape.reduce(1, *)).map { $0 == 0 || generator.coin(0.7) }
    let mask = ReferenceBroadcast(elements: own, shape: shape)
    var both: [Bool] = []
    for b in 0..<2 {
      for h in 0..<4 {
        for i in 0..<5 {
          for j in 0..<7 { both.append(mask.element(batch: b, head: h, query: i, key: j) && padding[b * 7 + j]) }
        }
      }
    }
    var problem = Problem()
    problem.add("mask", own.map { $0 ? 1 : 0 }, shape: shape, as: .bool)
    problem.add("key_mask", padding.map { $0 ? 1 : 0 }, shape: [2, 7], as: .u8)
    problem.options.mask = ReferenceBroadcast(elements: both, shape: [2, 4, 5, 7])
    try problem.expectOracleResults()
  }

  static let integerTypes: [SafetensorsType] = [.u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64]

  @Test(arguments: integerTypes)
  func keyLengths(type: SafetensorsType) throws {
    for lengths in [[7, 3], [0, 1]] {
      var problem = Problem()
      problem.add("key_lengths", lengths, shape: [2], as: type)
      problem.options.keyLengths = lengths
      try problem.expectOracleResults()
    }
  }

  @Test(arguments: integerTypes)
  func queryOffsetsOfEveryType(type: SafetensorsType) throws {
    var problem = Problem()
    problem.arguments = ["--causal", "top-left"]
    problem.add("query_offsets", [2, 0], shape: [2], as: type)
    problem.options = ReferenceOptions(causal: true, queryOffsets: [2, 0])
    try problem.expectOracleResults()
  }

  /// Whatever `--causal` says, the file's offsets replace it.
  @Test(arguments: ["top-left", "bottom-right", "5", "-5"])
  func queryOffsetsReplaceTheAlignment(argument: String) throws {
    var problem = Problem()
    problem.arguments = ["--causal", argument]
    problem.add("query_offsets", [3, -2], shape: [2], as: .i64)
    problem.options = ReferenceOptions(causal: true, queryOffsets: [3, -2])
    try problem.expectOracleResults()
  }

  @Test func queryOffsetsMoveTheWindow() throws {
    var problem = Problem()
    problem.arguments = ["--window", "1,0"]
    problem.add("query_offsets", [2, -1], shape: [2], as: .i8)
    problem.options = ReferenceOptions(queryOffsets: [2, -1], windowLeft: 1, windowRight: 0)
    try problem.expectOracleResults()
  }

  /// Offsets alone hide nothing.
  @Test func queryOffsetsAlone() throws {
    var problem = Problem()
    let plain = try problem.run()
    problem.add("query_offsets", [-3, 4], shape: [2], as: .i64)
    #expect(try ResultFile(bytes: problem.run()).bytes("output") == ResultFile(bytes: plain).bytes("output"))
  }

  @Test(arguments: [[], ["--causal", "bottom-right"], ["--causal", "-1"]] as [[String]])
  func alibiSlopes(arguments: [String]) throws {
    for type in SafetensorsType.attentionTypes {
      var problem = Problem(type: type)
      problem.arguments = arguments
      let slopes = [0.5, 0.25, 0.125, 2]
      problem.add("alibi_slopes", slopes, shape: [4], as: .f32)
      problem.options = ReferenceOptions(
        causal: !arguments.isEmpty, queryOffsets: arguments.isEmpty ? [] : arguments[1] == "-1" ? [-1] : [2],
        alibiSlopes: slopes)
      try problem.expectOracleResults()
    }
  }

  @Test func queryOffsetsMoveALiBi() throws {
    var problem = Problem()
    problem.add("alibi_slopes", [0.5, 0.25, 0.125, 2], shape: [4], as: .bf16)
    problem.add("query_offsets", [4, -3], shape: [2], as: .i16)
    problem.options = ReferenceOptions(queryOffsets: [4, -3], alibiSlopes: [0.5, 0.25, 0.125, 2])
    try problem.expectOracleResults()
  }

  @Test(arguments: SafetensorsType.attentionTypes)
  func sinks(type: SafetensorsType) throws {
    var problem = Problem(type: type)
    let sinks = [0.5, -2, 3, 0]
    problem.add("sinks", sinks, shape: [4], as: type)
    problem.options.sinks = sinks
    try problem.expectOracleResults()
  }

  /// A row that may attend to nothing, from the mask alone: output and weights 0, lse and scores −∞, with a sink too.
  @Test(arguments: [false, true])
  func rowsThatAttendToNothing(sink: Bool) throws {
    var problem = Problem()
    problem.add("mask", [1, 0, 1, 0, 1], shape: [5, 1], as: .bool)
    problem.options.mask = ReferenceBroadcast(elements: [true, false, true, false, true], shape: [5, 1])
    if sink {
      problem.add("sinks", [1, 2, 3, 4], shape: [4], as: .f64)
      problem.options.sinks = [1, 2, 3, 4]
    }
    try problem.expectOracleResults()
    let file = try ResultFile(bytes: try problem.run(["--emit", "weights,scores"]))
    let (lse, output) = (try file.numbers("lse"), try file.numbers("output"))
    let (weights, scores) = (try file.numbers("weights"), try file.numbers("scores"))
    for row in 0..<40 {
      let isEmpty = row % 5 == 1 || row % 5 == 3
      #expect((lse[row] == -.infinity) == isEmpty)
      #expect(output[row * 3..<row * 3 + 3].allSatisfy { $0 == 0 } == isEmpty)
      #expect(weights[row * 7..<row * 7 + 7].allSatisfy { $0 == 0 } == isEmpty)
      #expect(scores[row * 7..<row * 7 + 7].allSatisfy { $0 == -.infinity } == isEmpty)
    }
  }
}
