import Attention
import Testing

/// What is wrong with a call on spans is thrown, says what and how much, and leaves the output untouched.
@Suite struct SpanErrorTests {
  /// One call: 2 sequences, 2 heads of keys and of queries, 3 queries, 4 keys, D = 5, Dv = 6.
  struct Call: Sendable {
    var shape = AttentionShape(
      batch: 2, queryHeads: 2, queryLength: 3, keyLength: 4, headDimension: 5, valueDimension: 6)
    var queries = 60
    var keys = 80
    var values = 96
    var output = 72
    var logSumExp = 12
    var scale: Double?
    var mask = AttentionMask.none
    var options = AttentionOptions()

    /// The error, and whether output and log-sum-exp are as they were. The same error must come without log-sum-exp.
    func error() -> (AttentionError?, isUntouched: Bool) {
      let make = { (count: Int) in [Float](repeating: 0.5, count: count) }
      let (q, k, v) = (make(queries), make(keys), make(values))
      var (o, l) = (make(output), make(logSumExp))
      var first: AttentionError?
      var second: AttentionError?
      do throws(AttentionError) {
        var os = o.mutableSpan
        var ls = l.mutableSpan
        try scaledDotProductAttention(
          queries: q.span, keys: k.span, values: v.span, into: &os, logSumExp: &ls, shape: shape, scale: scale,
          mask: mask, options: options)
      } catch {
        first = error
      }
      if logSumExp == 12 {
        do throws(AttentionError) {
          var os = o.mutableSpan
          try scaledDotProductAttention(
            queries: q.span, keys: k.span, values: v.span, into: &os, shape: shape, scale: scale, mask: mask,
            options: options)
        } catch {
          second = error
        }
        if first != second { return (nil, false) }
      }
      return (first, (o + l).allSatisfy { $0 == 0.5 })
    }
  }

  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: AttentionError.Code
    let message: String
    let change: @Sendable (inout Call) -> Void

    init(
      _ description: String, _ code: AttentionError.Code, _ message: String,
      _ change: @escaping @Sendable (inout Call) -> Void
    ) {
      (testDescription, self.code, self.message, self.change) = (description, code, message, change)
    }
  }

  static func shape(
    batch: Int = 2, heads: Int = 2, keyHeads: Int = 2, queries: Int = 3, keys: Int = 4, dimension: Int = 5,
    valueDimension: Int = 6
  ) -> AttentionShape {
    AttentionShape(
      batch: batch, queryHeads: heads, keyHeads: keyHeads, queryLength: queries, keyLength: keys,
      headDimension: dimension, valueDimension: valueDimension)
  }

  static let counts = [
    Example("queries too short", .shape, "queries hold 59 elements; the shape reaches 60") { $0.queries = 59 },
    Example("no queries", .shape, "queries hold 0 elements") { $0.queries = 0 },
    Example("keys too short", .shape, "keys hold 79 elements; the shape reaches 80") { $0.keys = 79 },
    Example("values too short", .shape, "values hold 95 elements; the shape reaches 96") { $0.values = 95 },
    Example("output too short", .shape, "output hold 71 elements; the shape reaches 72") { $0.output = 71 },
    Example("log-sum-exp too short", .shape, "logSumExp holds 11 elements") { $0.logSumExp = 11 },
    Example("query offsets", .shape, "1 query offsets were given for a batch of 2") {
      $0.mask = .causal(queryOffsets: [1])
    },
    Example("key lengths", .shape, "3 key lengths were given for a batch of 2") { $0.mask = .keyLengths([1, 2, 3]) },
    Example("slopes", .shape, "1 ALiBi slopes were given for 2 query heads") { $0.options.alibiSlopes = [1] },
    Example("sinks", .shape, "3 sinks were given for 2 query heads") { $0.options.sinks = [1, 2, 3] },
    Example("mask", .shape, "mask has shape [3], which does not broadcast to [2, 2, 3, 4]") {
      $0.mask = .boolean([true, true, true], shape: [3])
    },
    Example("empty mask", .shape, "mask has shape [0], which does not broadcast to [2, 2, 3, 4]") {
      $0.mask = .boolean([], shape: [0])
    },
    Example("bias", .shape, "bias has shape [2, 4], which does not broadcast to [2, 2, 3, 4]") {
      $0.options.bias = AttentionBias(Tensor(repeating: 0, shape: [2, 4]))
    },
  ]

  static let sizes = [
    Example("negative batch", .negativeSize, "batch is -1") { $0.shape = shape(batch: -1) },
    Example("negative query length", .negativeSize, "query_length is -3") { $0.shape = shape(queries: -3) },
    Example("negative key length", .negativeSize, "key_length is -1") { $0.shape = shape(keys: -1) },
    Example("no query heads", .negativeSize, "query_heads is 0") { $0.shape = shape(heads: 0) },
    Example("no key heads", .negativeSize, "kv_heads is 0") { $0.shape = shape(keyHeads: 0) },
    Example("no head dimension", .negativeSize, "head_dim is 0") { $0.shape = shape(dimension: 0) },
    Example("negative value dimension", .negativeSize, "value_dim is -6") { $0.shape = shape(valueDimension: -6) },
    Example("head groups", .headGroups, "query_heads (2) is not a multiple of kv_heads (3)") {
      $0.shape = shape(keyHeads: 3)
      $0.keys = 120
      $0.values = 144
    },
    Example("a size beyond 2³¹", .overflow, "batch is 2147483648") {
      $0.shape = shape(batch: 1 << 31, queries: 0, keys: 0)
    },
    Example("strides beyond the address space", .overflow, "queries") {
      $0.shape.queryStrides = AttentionStrides(batch: .max, head: .max, row: 5)
    },
    Example("a negative stride", .overflow, "keys") { $0.shape.keyStrides.row = -5 },
    Example("output rows on top of each other", .overlap, "the strides of output") {
      $0.shape.outputStrides.row = 0
    },
    Example("output rows that overlap", .overlap, "the strides of output") { $0.shape.outputStrides.row = 5 },
  ]

  static let options = [
    Example("scale of NaN", .notFinite, "scale is nan") { $0.scale = .nan },
    Example("infinite scale", .notFinite, "scale is inf") { $0.scale = .infinity },
    Example("a scale that Float does not hold", .notFinite, "scale is 1e+39") { $0.scale = 1e39 },
    Example("softcap of NaN", .notFinite, "softcap is nan") { $0.options.softcap = .nan },
    Example("infinite softcap", .notFinite, "softcap is inf") { $0.options.softcap = .infinity },
    Example("negative softcap", .softcap, "softcap is -2") { $0.options.softcap = -2 },
    Example("scale ÷ softcap beyond Float", .notFinite, "scale / softcap is") {
      $0.scale = 1e30
      $0.options.softcap = 1e-30
    },
    Example("certain dropout", .dropout, "dropout_probability is 1") {
      $0.options.dropout = AttentionDropout(probability: 1, seed: 0)
    },
    Example("negative dropout", .dropout, "dropout_probability is -0.5") {
      $0.options.dropout = AttentionDropout(probability: -0.5, seed: 0)
    },
    Example("dropout of NaN", .dropout, "dropout_probability is nan") {
      $0.options.dropout = AttentionDropout(probability: .nan, seed: 0)
    },
    Example("causal without alignment", .alignment, "query_length 3 and key_length 4") { $0.mask = .causal },
    Example("key length beyond the keys", .keyLength, "key_lengths[1] is 5; key_length is 4") {
      $0.mask = .keyLengths([4, 5])
    },
    Example("negative key length", .keyLength, "key_lengths[0] is -1") { $0.mask = .keyLengths([-1, 4]) },
    Example("negative threads", .threads, "threads is -1") { $0.options.threads = -1 },
    Example("threads beyond 2³¹", .threads, "threads is 4294967296") { $0.options.threads = 1 << 32 },
    Example("a bias in Double for Float", .type, "bias.type") {
      $0.options.bias = AttentionBias([1, 2, 3, 4], shape: [4])
    },
    Example("unknown instruction set", .instructionSet, "z80") { $0.options.instructionSet = "z80" },
  ]

  @Test func theCallItselfIsRight() {
    let (error, isUntouched) = Call().error()
    // Written everywhere: values of ½ weigh to ½, so it is the log-sum-exp that changes.
    #expect(error == nil && !isUntouched)
  }

  @Test(arguments: counts + sizes + options) func isRefused(example: Example) throws {
    var call = Call()
    example.change(&call)
    let (error, isUntouched) = call.error()
    #expect(error?.code == example.code)
    #expect(error?.message.contains(example.message) == true, "\(String(describing: error))")
    #expect(error.map { "\($0)" } == error?.message)
    #expect(isUntouched)
  }

  /// Every code that a call on spans can come to occurs above.
  @Test func everyReachableCode() {
    let reached = Set((Self.counts + Self.sizes + Self.options).map(\.code))
    // Swift cannot say these: pointers, initialisation, packing and pages are its own business; a negative window
    // stops; memory cannot be made to run out here. Rows and heads are chosen for matrices only, below.
    let unreachable: Set<AttentionError.Code> = [
      .missing, .uninitialized, .window, .packing, .pages, .outOfMemory, .selection,
    ]
    #expect(reached == Set(AttentionError.Code.allCases).subtracting(unreachable))
  }

  @Test func biasOfFloatForDouble() {
    let one = [1.0]
    var output = [0.0]
    let error = #expect(throws: AttentionError.self) {
      var span = output.mutableSpan
      try scaledDotProductAttention(
        queries: one.span, keys: one.span, values: one.span, into: &span,
        shape: AttentionShape(batch: 1, queryHeads: 1, queryLength: 1, headDimension: 1),
        options: AttentionOptions(bias: AttentionBias(Tensor([1], shape: []))))
    }
    #expect(error?.code == .type && output == [0])
  }

  @Test func matrixTooShort() {
    let (q, k) = ([Float](repeating: 1, count: 6), [Float](repeating: 1, count: 8))
    let shape = AttentionShape(batch: 1, queryHeads: 1, queryLength: 3, keyLength: 4, headDimension: 2)
    var matrix = [Float](repeating: 7, count: 12)
    for (count, sums) in [(11, 3), (12, 2)] {
      let lse = [Float](repeating: 0, count: sums)
      let error = #expect(throws: AttentionError.self) {
        try matrix.withUnsafeMutableBufferPointer { buffer in
          var span = UnsafeMutableBufferPointer(rebasing: buffer[..<count]).mutableSpan
          try attentionMatrix(queries: q.span, keys: k.span, into: &span, logSumExp: lse.span, shape: shape)
        }
      }
      let expected =
        count == 11
        ? "matrix holds 11 elements; its shape is [1, 1, 3, 4]"
        : "logSumExp holds 2 elements; its shape is [1, 1, 3, 1]"
      #expect(error?.code == .shape && error?.message == expected)
      #expect(matrix == [Float](repeating: 7, count: 12))
    }
  }

  @Test(arguments: [([3], [0], "rows[0] is 3; there are 3"), ([0], [1], "heads[0] is 1; there are 1")])
  func choiceOutsideTheShape(rows: [Int], heads: [Int], message: String) {
    let (q, k) = ([Float](repeating: 1, count: 6), [Float](repeating: 1, count: 8))
    var matrix = [Float](repeating: 7, count: 4)
    let error = #expect(throws: AttentionError.self) {
      var span = matrix.mutableSpan
      try attentionMatrix(
        queries: q.span, keys: k.span, into: &span,
        shape: AttentionShape(batch: 1, queryHeads: 1, queryLength: 3, keyLength: 4, headDimension: 2), rows: rows,
        heads: heads)
    }
    #expect(error?.code == .selection && error?.message == message)
    #expect(matrix == [7, 7, 7, 7])
  }
}
