import Seq2Seq
import Testing

@Suite struct SentenceBatchTests {
  @Test func paddedAndPacked() {
    let batch = SentenceBatch([[7, 8], [], [5, 6, 9], [4, 4]])
    #expect(batch.ids == [[5, 6, 9], [7, 8, 0], [4, 4, 0], [0, 0, 0]])
    #expect(batch.lengths == [3, 2, 2, 0] && batch.order == [2, 0, 3, 1])
    #expect(batch.packed == [5, 6, 9, 7, 8, 4, 4] && batch.rowStarts == [0, 3, 5, 7, 7])
    #expect(batch.rowsAtStep == [3, 3, 1] && batch.tokenCount == 7 && batch.maximumLength == 3)
    #expect(batch.restored(batch.lengths) == [2, 0, 3, 2])
  }

  @Test func nothing() {
    let batch = SentenceBatch([])
    #expect(batch.count == 0 && batch.packed.isEmpty && batch.rowStarts == [0] && batch.rowsAtStep.isEmpty)
    #expect(SentenceBatch([[], []]).ids == [[], []] && SentenceBatch([[]]).maximumLength == 0)
  }

  @Test(arguments: 0..<20) func everySentenceComesBack(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let sentences = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
      (0..<Int.random(in: 0...9, using: &generator)).map { _ in Int.random(in: 4...50, using: &generator) }
    }
    let batch = SentenceBatch(sentences)
    let starts = batch.rowStarts
    let rows = (0..<batch.count).map { Array(batch.packed[starts[$0]..<starts[$0 + 1]]) }
    #expect(batch.restored(rows) == sentences, "seed \(seed)")
    #expect(zip(batch.ids, batch.lengths).map { Array($0.prefix($1)) } == rows, "seed \(seed)")
    #expect(batch.lengths == batch.lengths.sorted(by: >) && batch.ids.allSatisfy { $0.count == batch.maximumLength })
    #expect(batch.rowsAtStep.reduce(0, +) == batch.tokenCount, "seed \(seed)")
  }

  @Test func pairsStayTogether() {
    let batch = PairBatch([.init(source: [10], target: [20, 21]), .init(source: [11, 12], target: [22])])
    #expect(batch.source.ids == [[11, 12], [10, 0]])
    #expect(batch.decoderInput.ids == [[2, 22, 0], [2, 20, 21]] && batch.decoderInput.lengths == [2, 3])
    #expect(batch.decoderOutput.ids == [[22, 3, 0], [20, 21, 3]] && batch.targetTokenCount == 5)
    #expect(batch.decoderOutput.order == batch.source.order && batch.count == 2)
  }

  @Test func pairsThatAreTooLongAreLeftOut() {
    let corpus = ParallelCorpus([
      .init(source: "a b c", target: "x"), .init(source: "a", target: "x y"), .init(source: "b", target: " "),
    ])
    let codec = TextCodec(.spaces, counting: ["a b c x y"])
    #expect(corpus.encoded(source: codec, target: codec, maximumLength: 2).map(\.source) == [codec.encode("a")])
    #expect(corpus.encoded(source: codec, target: codec).count == 2)
  }
}
