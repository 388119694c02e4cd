import Attention
import Testing

/// Random problems of awkward shapes with random options, on every instruction set and of every type, against the
/// oracle.
@Suite struct RandomProblemTests {
  static let groups = 15
  static let groupSize = 40

  static func problems(ofGroup group: Int) -> [RandomProblem] {
    (0..<groupSize).map { RandomProblem(seed: UInt64(1 + group * groupSize + $0)) }
  }

  @Test(arguments: 0..<groups) func agrees(group: Int) throws {
    for random in Self.problems(ofGroup: group) {
      let violation = try random.problem.violation(as: random.type, arrangement: random.arrangement)
      #expect(violation == nil, "\(random)")
    }
  }

  /// Every type, option and kind of shape occurs, with a result that is not empty.
  @Test func everythingOccurs() {
    var seen: Set<String> = []
    for random in (0..<Self.groups).flatMap(Self.problems) {
      let (shape, options) = (random.problem.shape, random.problem.options)
      if shape.batch == 0 { seen.insert("no batch") }
      if shape.queryLength == 0 { seen.insert("no queries") }
      guard random.problem.rowCount > 0 else { continue }
      if shape.keyLength == 0 { seen.insert("no keys") }
      seen.insert("\(random.type)")
      seen.insert("\(random.arrangement.layout)")
      if random.arrangement.rowGap > 0 { seen.insert("row gap") }
      if random.arrangement.guardBand > 0 { seen.insert("guard band") }
      guard shape.keyLength > 1 else { continue }
      if shape.queryHeads > shape.keyHeads { seen.insert("grouped heads") }
      if shape.headDimension != shape.valueDimension { seen.insert("value dimension") }
      if shape.headDimension > 128 { seen.insert("wide heads") }
      if shape.keyLength > 128 { seen.insert("several tiles of keys") }
      if shape.queryLength > 128 { seen.insert("several tiles of queries") }
      if let scale = options.scale { seen.insert(scale == 0 ? "scale 0" : scale < 0 ? "scale < 0" : "scale") }
      if options.softcap > 0 { seen.insert("softcap") }
      if options.causal { seen.insert("causal") }
      if let alignment = random.problem.alignment { seen.insert("\(alignment)") }
      if random.problem.alignment == nil, !options.queryOffsets.isEmpty {
        seen.insert(options.queryOffsets.count == 1 ? "offset" : "offsets")
      }
      if options.windowLeft != nil { seen.insert("window left") }
      if options.windowRight != nil { seen.insert("window right") }
      if options.keyLengths != nil { seen.insert("key lengths") }
      if let mask = options.mask { seen.insert("mask of rank \(mask.shape.count)") }
      if let bias = options.bias { seen.insert("bias of rank \(bias.shape.count)") }
      if options.alibiSlopes != nil { seen.insert("alibi") }
      if options.sinks != nil { seen.insert("sinks") }
      if options.dropoutProbability > 0 { seen.insert("dropout") }
    }
    let expected: Set<String> = [
      "no batch", "no queries", "no keys", "bhsd", "bshd", "row gap", "guard band", "grouped heads", "value dimension",
      "wide heads", "several tiles of keys", "several tiles of queries", "scale 0", "scale < 0", "scale", "softcap",
      "causal", "topLeft", "bottomRight", "offset", "offsets", "window left", "window right", "key lengths", "alibi",
      "sinks", "dropout",
    ]
    let ranks = (0...4).flatMap { ["mask of rank \($0)", "bias of rank \($0)"] }
    #expect(seen == expected.union(ranks).union(AttentionScalarType.testable.map { "\($0)" }))
  }
}
