import Seq2Seq
import Testing

@Suite struct CorpusSplitTests {
  /// Random pairs of few sentences, many of which share one.
  private func corpus(seed: UInt64, pairs: Int = 400, sentences: Int = 500) -> ParallelCorpus {
    var generator = SeededGenerator(seed: seed)
    return ParallelCorpus(
      (0..<pairs).map { _ in
        SentencePair(
          source: "s\(Int.random(in: 0..<sentences, using: &generator))",
          target: "t\(Int.random(in: 0..<sentences, using: &generator))")
      })
  }

  private func expectDisjoint(_ split: CorpusSplit, _ comment: Comment) {
    let parts = [split.training, split.validation, split.test]
    for side in [\SentencePair.source, \SentencePair.target] {
      let sentences = parts.map { Set($0.pairs.map { $0[keyPath: side].lowercased() }) }
      for (a, b) in [(0, 1), (0, 2), (1, 2)] { #expect(sentences[a].isDisjoint(with: sentences[b]), comment) }
    }
  }

  @Test(arguments: 0..<10) func partsShareNoSentence(seed: UInt64) throws {
    let corpus = corpus(seed: seed)
    let split = try corpus.split(validation: 40, test: 30, seed: seed)
    expectDisjoint(split, "seed \(seed)")
    #expect(split.validation.count == 40 && split.test.count == 30, "seed \(seed)")
    let all = (split.training.pairs + split.validation.pairs + split.test.pairs)
    #expect(all.count == corpus.count && Set(all) == Set(corpus.pairs), "seed \(seed)")
    #expect(try corpus.split(validation: 40, test: 30, seed: seed) == split)
    #expect(try corpus.split(validation: 40, test: 30, seed: seed + 1) != split)
    let order = Dictionary(zip(corpus.pairs, 0...), uniquingKeysWith: min)
    let places = Set(split.test.pairs).map { order[$0]! }.sorted()
    #expect(split.test.pairs.first == corpus.pairs[places[0]], "the order of the corpus is kept")
  }

  @Test(arguments: 0..<5) func sizesMayCountSources(seed: UInt64) throws {
    let split = try corpus(seed: seed).split(validation: 25, test: 35, counting: .sources, seed: seed)
    expectDisjoint(split, "seed \(seed)")
    #expect(split.test.references().count == 35 && split.validation.references().count == 25, "seed \(seed)")
  }

  @Test func linksOverOtherPairsAndCase() throws {
    let chain = ["a\tA1", "a\tA2", "b\tA2", "B\tA3", "c  d\ta3", "C D\tA4"]
    let text = chain.joined(separator: "\n") + "\nx\tX\ny\tY\n"
    let corpus = try ParallelCorpus(bytes: Array(text.utf8), sourceColumn: 1, targetColumn: 2)
    for seed in 0..<20 as Range<UInt64> {
      let split = try corpus.split(validation: 1, test: 1, seed: seed)
      #expect(split.training.count == 6 && split.training.pairs[0].source == "a", "seed \(seed)")
    }
  }

  @Test func whatCannotBeDivided() throws {
    let chain = ParallelCorpus((0..<9).map { SentencePair(source: "s\($0 / 2)", target: "t\(($0 + 1) / 2)") })
    let error = try #require(throws: CorpusError.self) { try chain.split(validation: 0, test: 3, seed: 0) }
    #expect(error.reason == .cannotSplit(pairs: 9, validation: 0, test: 3))
    #expect(error.description.hasPrefix("expected enough pairs for training besides 0 for validation and 3 for test"))
    let two = ParallelCorpus([.init(source: "a", target: "b"), .init(source: "c", target: "d")])
    #expect(throws: CorpusError.self) { try two.split(validation: 1, test: 1, seed: 0) }
    #expect(try two.split(validation: 0, test: 1, seed: 0).training.count == 1)
  }

  @Test func referencesOfEachSource() {
    let corpus = ParallelCorpus(
      [("a", "1"), ("b", "2"), ("a", "3"), ("a", "1"), ("b", "1")].map { SentencePair(source: $0.0, target: $0.1) })
    #expect(
      corpus.references() == [.init(source: "a", targets: ["1", "3"]), .init(source: "b", targets: ["2", "1"])])
  }

  @Test func shufflingIsAPermutationOfTheSeed() {
    let corpus = corpus(seed: 1)
    #expect(corpus.shuffled(seed: 3) == corpus.shuffled(seed: 3))
    #expect(corpus.shuffled(seed: 3) != corpus.shuffled(seed: 4) && corpus.shuffled(seed: 3) != corpus)
    let key = { (pair: SentencePair) in pair.source + "\t" + pair.target }
    #expect(corpus.shuffled(seed: 3).pairs.map(key).sorted() == corpus.pairs.map(key).sorted())
  }

  @Test(.enabled(if: Tatoeba.isThere)) func aCorpusOfPeople() throws {
    let corpus = try ParallelCorpus(contentsOf: Tatoeba.path)
    let split = try corpus.split(validation: 1000, test: 1000, seed: 0)
    expectDisjoint(split, "Tatoeba")
    #expect(split.validation.count == 1000 && split.test.count == 1000)
    #expect(split.training.count == corpus.count - 2000)
    // Sentences with several translations are in the test as well.
    #expect(split.test.references().contains { $0.targets.count > 1 })
  }
}
