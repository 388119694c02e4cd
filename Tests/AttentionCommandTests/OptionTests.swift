import AttentionReference
import Safetensors
import Testing

/// Each option of `attention run` against the oracle.
@Suite struct OptionTests {
  @Test(arguments: [
    ("top-left", 0), ("bottom-right", 2), ("0", 0), ("3", 3), ("-1", -1), ("-4", -4), ("+1", 1),
  ])
  func causal(argument: String, offset: Int) throws {
    for type in [SafetensorsType.f32, .f64] {
      var problem = Problem(type: type)
      problem.arguments = ["--causal", argument]
      problem.options.causal = true
      problem.options.queryOffsets = [offset]
      try problem.expectOracleResults()
    }
  }

  @Test(
    arguments: [
      ("1,1", 1, 1), ("2,0", 2, 0), ("0,0", 0, 0), (",1", nil, 1), ("1,", 1, nil), (",0", nil, 0),
    ] as [(String, Int?, Int?)])
  func window(argument: String, left: Int?, right: Int?) throws {
    var problem = Problem()
    problem.arguments = ["--window", argument]
    problem.options.windowLeft = left
    problem.options.windowRight = right
    try problem.expectOracleResults()
  }

  @Test func windowWithTwoEmptySidesIsNone() throws {
    let problem = Problem()
    #expect(try problem.run(["--window", ","]) == problem.run())
  }

  /// The window counts from the same offset as causal masking.
  @Test(arguments: [("top-left", 0), ("bottom-right", 2), ("-2", -2)])
  func windowWithCausal(argument: String, offset: Int) throws {
    var problem = Problem()
    problem.arguments = ["--window", "1,9", "--causal", argument]
    problem.options = ReferenceOptions(causal: true, queryOffsets: [offset], windowLeft: 1, windowRight: 9)
    try problem.expectOracleResults()
  }

  @Test(arguments: [("2.5", 2.5), ("-0.75", -0.75), ("0", 0), ("1e-3", 0.001), ("-1", -1)])
  func scale(argument: String, scale: Double) throws {
    for type in SafetensorsType.attentionTypes {
      var problem = Problem(type: type)
      problem.arguments = ["--scale", argument]
      problem.options.scale = scale
      try problem.expectOracleResults()
    }
  }

  @Test(arguments: [("0.25", 0.25), ("2", 2)])
  func softcap(argument: String, cap: Double) throws {
    for type in SafetensorsType.attentionTypes {
      var problem = Problem(type: type)
      problem.arguments = ["--softcap", argument, "--scale", "-3"]
      problem.options = ReferenceOptions(scale: -3, softcap: cap)
      try problem.expectOracleResults()
      // The cap by itself must matter, not the scale beside it.
      var uncapped = problem
      uncapped.options.softcap = 0
      #expect(
        firstDifference(
          "lse", problem.reference().logSumExp, uncapped.reference().logSumExp, within: 1e-3, storedAs: .f64) != nil)
    }
  }

  @Test(arguments: [(0.5, 1), (0.1, UInt64.max), (0.9, 1 << 40)] as [(Double, UInt64)])
  func dropout(probability: Double, seed: UInt64) throws {
    for type in [SafetensorsType.f32, .f64] {
      var problem = Problem(type: type)
      problem.arguments = ["--dropout", "\(probability)", "--seed", "\(seed)"]
      problem.options = ReferenceOptions(dropoutProbability: probability, dropoutSeed: seed)
      try problem.expectOracleResults()
    }
  }

  /// lse, weights and scores are those before dropout.
  @Test func dropoutChangesTheOutputOnly() throws {
    let problem = Problem()
    let emit = ["--emit", "weights,scores"]
    let plain = try ResultFile(bytes: try problem.run(emit))
    let dropped = try ResultFile(bytes: try problem.run(emit + ["--dropout", "0.5", "--seed", "1"]))
    for name in ["lse", "weights", "scores"] {
      #expect(try plain.bytes(name) == dropped.bytes(name))
    }
    #expect(try plain.bytes("output") != dropped.bytes("output"))
  }

  @Test func dropoutOfNothingIsNone() throws {
    let problem = Problem()
    #expect(try problem.run(["--dropout", "0", "--seed", "5"]) == problem.run())
  }

  @Test func seedsNameDifferentMasks() throws {
    let problem = Problem()
    let files = try (0..<3).map { try problem.run(["--dropout", "0.5", "--seed", "\($0)"]) }
    #expect(files[0] != files[1] && files[1] != files[2] && files[0] != files[2])
    #expect(try files[1] == problem.run(["--dropout", "0.5", "--seed", "1"]))
  }

  /// `--option=VALUE` is the same as two words, and the last of a repeated option counts.
  @Test func waysOfWriting() throws {
    let problem = Problem()
    let expected = try problem.run(["--causal", "-1", "--scale", "-2", "--window", ",1"])
    #expect(try problem.run(["--causal=-1", "--scale=-2", "--window=,1"]) == expected)
    #expect(
      try problem.run(["--causal", "3", "--scale", "9", "--causal", "-1", "--window", ",1", "--scale", "-2"])
        == expected)
    #expect(try problem.run() != expected)
  }

  /// Options together with every tensor, in every type and layout.
  @Test(arguments: SafetensorsType.attentionTypes, Problem.Layout.allCases)
  func everythingAtOnce(type: SafetensorsType, layout: Problem.Layout) throws {
    var problem = Problem.withEverything(type: type)
    problem.layout = layout
    try problem.expectOracleResults()
  }
}

extension Problem {
  /// A problem with every option and every optional tensor; some rows may attend to nothing, others to something.
  static func withEverything(type: SafetensorsType, shape: ReferenceShape = .small) -> Problem {
    var problem = Problem(shape, type: type, seed: 21)
    var generator = SeededGenerator(seed: 22)
    let (B, H, Sq, Sk) = (shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength)
    let mask = (0..<Sq * Sk).map { _ in generator.coin(0.8) }
    let padding = (0..<B * Sk).map { _ in generator.coin(0.8) }
    // k/128 for every type: exact also in 16 bits.
    func numbers(_ count: Int) -> [Double] { generator.numbers(count).map { ($0 * 128).rounded() / 128 } }
    let bias = numbers(H * Sq * Sk)
    let (slopes, sinks) = (numbers(H).map(\.magnitude), numbers(H))
    let lengths = (0..<B).map { max(0, Sk - $0) }
    let offsets = (0..<B).map { 1 - $0 }

    problem.arguments = [
      "--causal", "top-left", "--window", "3,2", "--scale", "0.75", "--softcap", "1.5", "--dropout", "0.25", "--seed",
      "77",
    ]
    problem.add("mask", mask.map { $0 ? 1 : 0 }, shape: [Sq, Sk], as: .bool)
    problem.add("key_mask", padding.map { $0 ? 1 : 0 }, shape: [B, Sk], as: .u8)
    problem.add("bias", bias, shape: [1, H, Sq, Sk], as: .f32)
    problem.add("key_lengths", lengths, shape: [B], as: .i32)
    problem.add("query_offsets", offsets, shape: [B], as: .i64)
    problem.add("alibi_slopes", slopes, shape: [H], as: .f64)
    problem.add("sinks", sinks, shape: [H], as: .f16)

    let both = (0..<B).flatMap { b in
      (0..<Sq * Sk).map { pair in mask[pair] && padding[b * Sk + pair % Sk] }
    }
    problem.options = ReferenceOptions(
      scale: 0.75, softcap: 1.5, causal: true, queryOffsets: offsets, windowLeft: 3, windowRight: 2,
      keyLengths: lengths, mask: ReferenceBroadcast(elements: both, shape: [B, 1, Sq, Sk]),
      bias: ReferenceBroadcast(elements: bias, shape: [1, H, Sq, Sk]), alibiSlopes: slopes, sinks: sinks,
      dropoutProbability: 0.25, dropoutSeed: 77)
    return problem
  }
}
