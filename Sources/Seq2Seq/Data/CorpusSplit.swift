/// A corpus in three parts that share no sentence.
public struct CorpusSplit: Sendable, Equatable {
  /// For learning.
  public var training: ParallelCorpus
  /// For choosing the best checkpoint.
  public var validation: ParallelCorpus
  /// For the final scores.
  public var test: ParallelCorpus

  /// A corpus of these parts.
  public init(training: ParallelCorpus, validation: ParallelCorpus, test: ParallelCorpus) {
    self.training = training
    self.validation = validation
    self.test = test
  }
}

/// What the sizes of a split count.
public enum SplitUnit: String, Sendable, CaseIterable {
  /// Pairs.
  case pairs
  /// Distinct sources.
  case sources
}

extension ParallelCorpus {
  /// Divides the corpus so that no source or target of one part is in another.
  ///
  /// Pairs with the same source or the same target belong together, and so do those that are linked over others: the
  /// connected components of the graph whose nodes are sentences and whose edges are pairs. Whole components are drawn
  /// in an order that the seed makes, those that no longer fit are passed over: so a part has as many as was asked for
  /// wherever there are components small enough, and fewer otherwise. Sentences are the same here when they differ
  /// only in case and in the width of spaces. Parts keep the order of the corpus.
  ///
  /// - Throws: `CorpusError.Reason.cannotSplit` where training, or a part whose size is not 0, would have no pairs.
  public func split(
    validation: Int, test: Int, counting unit: SplitUnit = .pairs, seed: UInt64
  ) throws(CorpusError) -> CorpusSplit {
    require(
      validation >= 0 && test >= 0, "split: expected sizes of 0 or more, got \(validation) and \(test)")
    var components = components()
    var generator = SeededGenerator(seed: seed)
    generator.shuffle(&components)
    var taken = Set<Int>()
    func draw(_ wanted: Int) -> [Int] {
      var (drawn, left) = ([Int](), wanted)
      for (number, component) in components.enumerated() where left > 0 && !taken.contains(number) {
        let size = unit == .pairs ? component.count : Set(component.map { pairs[$0].source }).count
        guard size <= left else { continue }
        taken.insert(number)
        drawn += component
        left -= size
      }
      return drawn
    }
    let parts = [draw(test), draw(validation)]
    let training = components.indices.filter { !taken.contains($0) }.flatMap { components[$0] }
    guard !training.isEmpty, test == 0 || !parts[0].isEmpty, validation == 0 || !parts[1].isEmpty else {
      throw CorpusError(.cannotSplit(pairs: count, validation: validation, test: test))
    }
    func corpus(_ indices: [Int]) -> ParallelCorpus { ParallelCorpus(indices.sorted().map { pairs[$0] }) }
    return CorpusSplit(training: corpus(training), validation: corpus(parts[1]), test: corpus(parts[0]))
  }

  /// Pairs that are linked by a sentence, by their indices.
  private func components() -> [[Int]] {
    var sets = DisjointSets(count: count)
    for side in [\SentencePair.source, \SentencePair.target] {
      var first: [String: Int] = [:]
      for (index, pair) in pairs.enumerated() {
        let key = SpaceTokenizer().tokens(of: pair[keyPath: side].lowercased()).joined(separator: " ")
        if let other = first[key] { sets.unite(index, other) } else { first[key] = index }
      }
    }
    var numbers: [Int: Int] = [:]
    var components: [[Int]] = []
    for index in pairs.indices {
      let root = sets.root(of: index)
      if let number = numbers[root] {
        components[number].append(index)
      } else {
        numbers[root] = components.count
        components.append([index])
      }
    }
    return components
  }
}

/// Sets that are united (Tarjan 1975), by size, with paths halved.
struct DisjointSets {
  private var parents: [Int]
  private var sizes: [Int]

  init(count: Int) {
    parents = Array(0..<count)
    sizes = Array(repeating: 1, count: count)
  }

  /// The element that stands for the set of an element.
  mutating func root(of element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  /// Makes one set of two.
  mutating func unite(_ a: Int, _ b: Int) {
    let (a, b) = (root(of: a), root(of: b))
    guard a != b else { return }
    let (large, small) = sizes[a] >= sizes[b] ? (a, b) : (b, a)
    parents[small] = large
    sizes[large] += sizes[small]
  }
}
