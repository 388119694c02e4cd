import Attention
import AttentionReference
import Testing

@Suite struct VisibleNonFiniteTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout Problem) -> Void
    /// Whether every result is finite all the same.
    var isFinite = false
  }

  static let examples = [
    Example(testDescription: "NaN in a key") { $0.setKey(.nan, key: 70) },
    Example(testDescription: "NaN in a key of the first tile, the maximum in a later one") { problem in
      problem.setKey(.nan, key: 3)
      for d in 0..<9 { problem.setKey(9, key: 140, at: d) }
    },
    Example(testDescription: "+∞ in a key") { $0.setKey(.infinity, key: 70) },
    Example(testDescription: "−∞ in a key") { $0.setKey(-.infinity, key: 149) },
    Example(testDescription: "∞ and −∞ in one key") { problem in
      problem.setKey(.infinity, key: 5)
      problem.setKey(-.infinity, key: 5, at: 1)
    },
    Example(testDescription: "NaN in a query") { $0.queries[13] = .nan },
    Example(testDescription: "∞ in a query") { $0.queries[13] = .infinity },
    Example(testDescription: "NaN in a value") { $0.setValue(.nan, key: 140, at: 4) },
    Example(testDescription: "+∞ in a value") { $0.setValue(.infinity, key: 0, at: 8) },
    Example(testDescription: "−∞ in a value") { $0.setValue(-.infinity, key: 128, at: 0) },
    Example(testDescription: "∞ and −∞ in one column") { problem in
      problem.setValue(.infinity, key: 0, at: 2)
      problem.setValue(-.infinity, key: 149, at: 2)
    },
    Example(testDescription: "∞ in two keys and a value") { problem in
      problem.setKey(.infinity, key: 3)
      problem.setKey(.infinity, key: 90)
      problem.setValue(.infinity, key: 4, at: 2)
    },
    Example(testDescription: "a bias of +∞") { problem in
      problem.options.bias = Self.bias(at: 77, .infinity)
    },
    Example(testDescription: "a bias of NaN") { problem in
      problem.options.bias = Self.bias(at: 77, .nan)
    },
    Example(
      testDescription: "a bias of −∞ is a weight of 0",
      change: { problem in problem.options.bias = Self.bias(at: 77, -.infinity) }, isFinite: true),
    Example(testDescription: "a bias of −∞ over a value of ∞") { problem in
      problem.options.bias = Self.bias(at: 77, -.infinity)
      problem.setValue(.infinity, key: 77, at: 1)
    },
    Example(testDescription: "a bias of −∞ everywhere") { problem in
      problem.options.bias = ReferenceBroadcast(elements: [-.infinity], shape: [])
    },
    Example(
      testDescription: "a bias of −∞ everywhere beside a sink",
      change: { problem in
        problem.options.bias = ReferenceBroadcast(elements: [-.infinity], shape: [])
        problem.options.sinks = [1]
      }, isFinite: true),
    Example(testDescription: "a sink of +∞") { $0.options.sinks = [.infinity] },
    Example(testDescription: "a sink of NaN") { $0.options.sinks = [.nan] },
    Example(testDescription: "∞ in a value under dropout") { problem in
      problem.options.dropoutProbability = 0.5
      problem.setValue(.infinity, key: 30, at: 1)
    },
    Example(testDescription: "∞ in a key under softcap") { problem in
      problem.options.softcap = 2
      problem.setKey(.infinity, key: 3)
      problem.setValue(.nan, key: 150 - 1)
    },
    Example(testDescription: "NaN in a value that the causal mask shows to some") { problem in
      problem.options.causal = true
      problem.options.queryOffsets = [100]
      problem.setValue(.nan, key: 120, at: 3)
      problem.setValue(.infinity, key: 140, at: 3)
    },
  ]

  private static func bias(at key: Int, _ number: Double) -> ReferenceBroadcast<Double> {
    ReferenceBroadcast(elements: (0..<150).map { $0 == key ? number : 0.25 }, shape: [150])
  }

  @Test("Line 12: NaN and infinity in what is visible propagate as in the oracle", arguments: examples)
  func propagates(example: Example) throws {
    var problem = Problem(queries: 51, keys: 150, dimension: 9)
    example.change(&problem)
    let oracle = problem.reference()
    let results = oracle.output + oracle.logSumExp
    #expect(results.allSatisfy(\.isFinite) == example.isFinite)
    for type in AttentionScalarType.testable {
      let problem = problem.rounded(to: type)
      let oracle = problem.reference()
      for name in availableInstructionSets {
        let fused = try problem.fused(as: type, instructionSet: name)
        let violation = problem.violation(
          of: fused, as: type, oracle: (oracle.output, oracle.logSumExp), naive: nil)
        #expect(violation == nil, "\(name), \(type)")
      }
    }
  }
}
