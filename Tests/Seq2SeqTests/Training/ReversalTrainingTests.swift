import Attention
import Testing

@testable import Seq2Seq

/// What must be said first comes last: a decoder that attends learns it, one with a state of limited size alone does not
/// in the same time.
@Suite struct ReversalTrainingTests {
  /// The share of sentences that are translated without a fault, choosing the most probable word at each step.
  private func exactMatch(_ model: TranslationModel, _ pairs: [EncodedPair]) -> Double {
    let batch = SentenceBatch(pairs.map(\.source))
    let decoder = model.decoder(for: batch)
    var (state, tokens) = (decoder.initialState(), pairs.map { _ in Vocabulary.start })
    var outputs = [[Int]](repeating: [], count: pairs.count)
    for _ in 0...batch.maximumLength {
      let result = decoder.step(tokens, state)
      tokens = result.logProbabilities.largestOfRows
      state = result.state
      for row in outputs.indices { outputs[row].append(tokens[row]) }
    }
    let found = batch.restored(outputs)
    return Double(zip(found, pairs).count { $0.starts(with: $1.target + [Vocabulary.end]) }) / Double(pairs.count)
  }

  private func trained(_ attention: ModelConfiguration.Attention) throws -> Double {
    let task = ReversalTask(symbolCount: 10, lengths: 4...8)
    let split = task.split(training: 3000, validation: 100, test: 200, seed: 5)
    let codec = TextCodec(.spaces, counting: split.training.pairs.map(\.source))
    var configuration = ModelConfiguration()
    configuration.embeddingDimensions = 32
    configuration.hiddenDimensions = 48
    configuration.attention = attention
    configuration.dropout = 0
    var options = TrainingOptions()
    options.epochs = 10
    options.batchSize = 32
    options.learningRate = 0.004
    options.schedule = .cosine
    var trainer = Trainer(TranslationModel(configuration, source: codec, target: codec, seed: 1), options)
    func encoded(_ corpus: ParallelCorpus) -> [EncodedPair] { corpus.encoded(source: codec, target: codec) }
    try trainer.run(training: encoded(split.training), validation: encoded(split.validation))
    return exactMatch(trainer.best, encoded(split.test))
  }

  @Test func attentionLearnsIt() throws {
    let (with, without) = (try trained(.additive), try trained(.none))
    #expect(with >= 0.99 && without < 0.8, "\(with) with attention, \(without) without")
  }
}
