import Attention
import AttentionReference
import Testing

/// Masks as an algebra: what a combination lets through is what every part lets through.
@Suite struct AttentionMaskTests {
  /// B, H, Sq, Sk of every problem here.
  static let extents = [2, 2, 4, 6]

  struct Part: Sendable {
    let name: String
    let mask: AttentionMask
    /// Whether it lets pair (b, h, i, j) through, where query i stands at position i + 1 of batch 0 and i + 3 of
    /// batch 1.
    let attends: @Sendable (Int, Int, Int, Int) -> Bool
  }

  static let offsets = [1, 3]
  static let bits: [Bool] = {
    var generator = SeededGenerator(seed: 9)
    return (0..<64).map { _ in generator.coin(0.7) }
  }()

  static let parts: [Part] = [
    Part(name: "none", mask: .none) { _, _, _, _ in true },
    Part(name: "causal", mask: .causal(queryOffsets: offsets)) { b, _, i, j in j <= i + offsets[b] },
    Part(name: "window", mask: .window(left: 2, right: 1) & .aligned(queryOffsets: offsets)) { b, _, i, j in
      (i + offsets[b] - 2...i + offsets[b] + 1).contains(j)
    },
    Part(name: "left", mask: .window(left: 1, right: nil) & .aligned(queryOffsets: offsets)) { b, _, i, j in
      j >= i + offsets[b] - 1
    },
    Part(name: "lengths", mask: .keyLengths([5, 3])) { b, _, _, j in j < [5, 3][b] },
    Part(name: "other lengths", mask: .keyLengths([4, 6])) { b, _, _, j in j < [4, 6][b] },
    Part(name: "[Sk]", mask: .boolean(Array(bits[..<6]), shape: [6])) { _, _, _, j in bits[j] },
    Part(name: "[Sq, 1]", mask: .boolean(Array(bits[10..<14]), shape: [4, 1])) { _, _, i, _ in bits[10 + i] },
    Part(name: "[H, Sq, Sk]", mask: .boolean(Array(bits[..<48]), shape: [2, 4, 6])) { _, h, i, j in
      bits[(h * 4 + i) * 6 + j]
    },
    Part(name: "[B, 1, 1, Sk]", mask: .boolean(Array(bits[20..<32]), shape: [2, 1, 1, 6])) { b, _, _, j in
      bits[20 + b * 6 + j]
    },
    Part(name: "[]", mask: .boolean([true], shape: [])) { _, _, _, _ in true },
    Part(name: "padding", mask: .keyPadding(Array(bits[30..<42]), batch: 2, keyLength: 6)) { b, _, _, j in
      bits[30 + b * 6 + j]
    },
  ]

  private func expectPairs(_ mask: AttentionMask, _ name: String, where attends: (Int, Int, Int, Int) -> Bool) throws {
    let extents = Self.extents
    var problem = Problem(batch: 2, heads: 2, queries: 4, keys: 6, dimension: 2)
    problem.readOutWeights()
    let weights = try problem.fused(mask: mask).output
    var expected: [Bool] = []
    for b in 0..<extents[0] {
      for h in 0..<extents[1] {
        for i in 0..<extents[2] {
          for j in 0..<extents[3] { expected.append(attends(b, h, i, j)) }
        }
      }
    }
    #expect(weights.map { $0 > 0 } == expected, "\(name)")
  }

  @Test func everyPair() throws {
    for a in Self.parts {
      for b in Self.parts {
        try expectPairs(a.mask & b.mask, "\(a.name) & \(b.name)") {
          a.attends($0, $1, $2, $3) && b.attends($0, $1, $2, $3)
        }
      }
    }
  }

  @Test func everythingTogether() throws {
    let without = { (names: Set<String>) in Self.parts.filter { !names.contains($0.name) } }
    for parts in [without([]), without(["[Sk]", "[H, Sq, Sk]"]), without(["left", "window", "padding", "[Sq, 1]"])] {
      let mask = parts.reduce(AttentionMask.none) { $0 & $1.mask }
      try expectPairs(mask, "\(parts.map(\.name))") { b, h, i, j in parts.allSatisfy { $0.attends(b, h, i, j) } }
    }
  }

  @Test func combiningKnowsNoOrder() throws {
    let mask = { (parts: [Part]) in parts.reduce(AttentionMask.none) { $0 & $1.mask } }
    let problem = Problem(batch: 2, heads: 2, queries: 4, keys: 6)
    let expected = try problem.fused(mask: mask(Self.parts)).bits
    #expect(try problem.fused(mask: mask(Self.parts.reversed())).bits == expected)
    #expect(AttentionMask.causal & .none == .causal && AttentionMask.none & .causal == .causal)
    #expect(AttentionMask.causal(.topLeft) == .causal & .aligned(.topLeft))
    #expect(AttentionMask.causal(.topLeft) != .causal(.bottomRight))
    #expect(AttentionMask.causal(.topLeft) & .aligned(.topLeft) == .causal(.topLeft))
  }

  /// Random shapes of masks, as NumPy would broadcast them.
  @Test(arguments: 0..<30) func intersectionOfShapes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var shapes: [[Int]] = []
    var elements: [[Bool]] = []
    for _ in 0..<2 {
      let rank = Int.random(in: 0...4, using: &generator)
      let shape = Self.extents.suffix(rank).map { generator.coin() ? $0 : 1 }
      shapes.append(shape)
      elements.append((0..<shape.reduce(1, *)).map { _ in generator.coin() })
    }
    let both = AttentionMask.boolean(elements[0], shape: shapes[0]) & .boolean(elements[1], shape: shapes[1])
    let parts = zip(elements, shapes).map { ReferenceBroadcast(elements: $0, shape: $1) }
    try expectPairs(both, "\(shapes)") { b, h, i, j in
      parts.allSatisfy { $0.element(batch: b, head: h, query: i, key: j) }
    }
  }

  /// Padding at the end is lengths; padding elsewhere a mask. Both are the same to the bit.
  @Test(arguments: Kernel.all) func keyPadding(kernel: Kernel) throws {
    let problem = Problem(batch: 3, heads: 2, queries: 5, keys: 70)
    let atTheEnd = [70, 0, 33].flatMap { length in (0..<70).map { $0 < length } }
    let inFront = [0, 70, 33].flatMap { first in (0..<70).map { $0 >= first } }
    let run = { (mask: AttentionMask) in
      try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, mask: mask).bits
    }
    #expect(AttentionMask.keyPadding(atTheEnd, batch: 3, keyLength: 70) == .keyLengths([70, 0, 33]))
    for attend in [atTheEnd, inFront] {
      let dense = try run(.boolean(attend, shape: [3, 1, 1, 70]))
      #expect(try run(.keyPadding(attend, batch: 3, keyLength: 70)) == dense)
      let ignored = attend.map { !$0 }
      #expect(try run(AttentionMask(torchKeyPaddingMask: ignored, batch: 3, keyLength: 70)) == dense)
      #expect(try run(AttentionMask(torchAttentionMask: ignored, shape: [3, 1, 1, 70])) == dense)
    }
  }
}
