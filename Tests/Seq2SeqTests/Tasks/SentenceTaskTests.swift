import Seq2Seq
import Testing

@Suite struct SentenceTaskTests {
  @Test(arguments: SyntheticTask.allCases) func partsShareNothingAndFollowFromTheSeed(name: SyntheticTask) {
    let task = name.task
    let split = task.split(training: 2000, validation: 100, test: 300, seed: 4)
    let parts = [split.training, split.validation, split.test]
    #expect(parts.map(\.count) == [2000, 100, 300])
    for side in [\SentencePair.source, \SentencePair.target] {
      #expect(Set(parts.flatMap { $0.pairs.map { $0[keyPath: side] } }).count == 2400)
    }
    #expect(task.split(training: 2000, validation: 100, test: 300, seed: 4) == split)
    #expect(task.split(training: 2000, validation: 100, test: 300, seed: 5) != split)
  }

  /// As many as `attention train` makes.
  @Test(arguments: SyntheticTask.allCases) func nothingOfTheTestIsSeenInTraining(name: SyntheticTask) {
    let training = name == .numerals ? 16_000 : 8000
    for seed in 0..<3 as Range<UInt64> {
      let split = name.task.split(training: training, validation: 1000, test: 1000, seed: seed)
      #expect(split.training.count == training && split.validation.count == 1000 && split.test.count == 1000)
      for side in [\SentencePair.source, \SentencePair.target] {
        func sentences(_ corpus: ParallelCorpus) -> Set<String> { Set(corpus.pairs.map { $0[keyPath: side] }) }
        #expect(sentences(split.test).isDisjoint(with: sentences(split.training)), "seed \(seed)")
        #expect(sentences(split.test).isDisjoint(with: sentences(split.validation)), "seed \(seed)")
        #expect(sentences(split.validation).isDisjoint(with: sentences(split.training)), "seed \(seed)")
      }
    }
  }

  @Test(arguments: SyntheticTask.allCases) func everyTokenOfTheTestIsLearnt(name: SyntheticTask) {
    let task = name.task
    let split = task.split(training: 2000, validation: 100, test: 300, seed: 6)
    let source = TextCodec(task.sourceTokenizer, counting: split.training.pairs.map(\.source))
    let target = TextCodec(task.targetTokenizer, counting: split.training.pairs.map(\.target))
    for pair in split.test.pairs + split.validation.pairs {
      #expect(!source.encode(pair.source).contains(Vocabulary.unknown), "\(pair)")
      #expect(!target.encode(pair.target).contains(Vocabulary.unknown), "\(pair)")
      #expect(source.decode(source.encode(pair.source)) == pair.source)
      #expect(target.decode(target.encode(pair.target)) == pair.target)
    }
    #expect(source.vocabulary.count < 60 && target.vocabulary.count < 120)
  }

  @Test func reversalReverses() {
    let split = ReversalTask().split(training: 500, validation: 0, test: 50, seed: 2)
    for pair in split.training.pairs + split.test.pairs {
      let symbols = pair.source.split(separator: " ")
      #expect(pair.target == symbols.reversed().joined(separator: " ") && symbols.count == 16, "\(pair)")
    }
    #expect(Set(split.training.pairs.flatMap { $0.source.split(separator: " ") }).count == 16)
    let sources = Set((split.training.pairs + split.test.pairs).map(\.source))
    #expect(
      sources.isDisjoint(
        with: (split.training.pairs + split.test.pairs).map(\.target).filter { target in
          target != String(target.reversed())
        }))
  }

  @Test func smallTasksEnd() {
    #expect(
      ReversalTask(symbolCount: 2, lengths: 1...6).split(training: 10, validation: 3, test: 3, seed: 0).test.count == 3)
    #expect(NumeralsTask(maximumDigits: 3).split(training: 300, validation: 100, test: 100, seed: 0).test.count == 100)
    #expect(DatesTask().split(training: 70_000, validation: 49, test: 3000, seed: 0).test.count == 3000)
  }
}
