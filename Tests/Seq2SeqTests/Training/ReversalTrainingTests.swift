import Attention
import Foundation
import Testing

@testable import Seq2Seq

/// Sequences of 16 symbols, reversed: what must be said first comes last. A decoder that attends learns it, one with a
/// state of limited size alone does not in the same time.
@Suite struct ReversalTrainingTests {
  /// A model trained on 6000 sequences, and 300 that it has not seen.
  private struct Training {
    let model: TranslationModel
    let unseen: [EncodedPair]

    init(_ attention: ModelConfiguration.Attention) throws {
      let split = ReversalTask(symbolCount: 16, lengths: 16...16).split(
        training: 6000, validation: 100, test: 300, seed: 5)
      let codec = TextCodec(.spaces, counting: split.training.pairs.map(\.source))
      var configuration = ModelConfiguration()
      configuration.embeddingDimensions = 32
      configuration.hiddenDimensions = 48
      configuration.attention = attention
      configuration.dropout = 0
      var options = TrainingOptions()
      options.epochs = 4
      options.batchSize = 32
      options.learningRate = 0.008
      options.schedule = .cosine
      var trainer = Trainer(TranslationModel(configuration, source: codec, target: codec, seed: 1), options)
      func encoded(_ corpus: ParallelCorpus) -> [EncodedPair] { corpus.encoded(source: codec, target: codec) }
      try trainer.run(training: encoded(split.training), validation: encoded(split.validation))
      model = trainer.best
      unseen = encoded(split.test)
    }

    /// The share of unseen sequences that are reversed without a fault, choosing the most probable symbol at each step.
    var exactMatch: Double {
      let batch = SentenceBatch(unseen.map(\.source))
      let decoder = model.decoder(for: batch)
      var (state, tokens) = (decoder.initialState(), unseen.map { _ in Vocabulary.start })
      var outputs = [[Int]](repeating: [], count: unseen.count)
      for _ in 0...batch.maximumLength {
        let result = decoder.step(tokens, state)
        tokens = result.logProbabilities.largestOfRows
        state = result.state
        for row in outputs.indices { outputs[row].append(tokens[row]) }
      }
      let found = batch.restored(outputs)
      return Double(zip(found, unseen).count { $0 == $1.target + [Vocabulary.end] }) / Double(unseen.count)
    }

    /// The loss per symbol while the decoder attends to the encoder's states of the sequence so many rows further on.
    func loss(statesOfRow shift: Int) -> Double {
      let batch = PairBatch(unseen)
      var encoded = model.encoder(batch.source)
      let (rows, shape) = (unseen.count, encoded.memory.shape)
      encoded.memory = encoded.memory.reshaped(to: [rows, shape[1] * shape[2]])
        .gatheringRows((0..<rows).map { ($0 + shift) % rows }).reshaped(to: shape)
      return model.decoder.loss(batch, encoded, smoothing: 0).loss / Double(batch.targetTokenCount)
    }
  }

  @Test func attentionLearnsIt() throws {
    let (with, without) = (try Training(.additive), try Training(.none))
    let (share, other) = (with.exactMatch, without.exactMatch)
    #expect(share >= 0.99 && other < 0.5, "\(share) with attention, \(other) without")
    // What is said comes from the states attended to: with another sequence's it is at least as wrong as a guess among
    // 16 symbols, log 16 nats, for all but the end. (A sequence's own states in another order are the same set, and
    // give the same context.) Without attention they are not read.
    #expect(with.loss(statesOfRow: 0) < 0.1)
    #expect(with.loss(statesOfRow: 1) > 16.0 / 17 * log(16))
    #expect(without.loss(statesOfRow: 1) == without.loss(statesOfRow: 0))
  }
}
