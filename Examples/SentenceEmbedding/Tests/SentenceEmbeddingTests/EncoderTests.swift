import Attention
import Foundation
import Safetensors
import SentenceEmbedding
import Testing

/// A small BERT of random weights against PyTorch's in float64.
///
/// A result passes within 2·e + γ_n·M: e is how far PyTorch's own computation in float32 is from the recorded one at
/// most, γ_n = n·u/(1 − n·u) with u = 2⁻²⁴ covers a lucky e, n counting the terms of the sums along the encoder (E + F
/// + the norms' and projections' 6·E a layer, S keys, the mean over S) and M being the largest output.
@Suite("The encoder against PyTorch")
struct EncoderTests {
  let embedder: SentenceEmbedder
  let recorded: SafetensorsFile
  let texts: [Recorded.Text]

  init() throws {
    embedder = try SentenceEmbedder(contentsOf: Recorded.path("tiny"))
    recorded = try SafetensorsFile(contentsOf: Recorded.path("tiny.safetensors"))
    texts = try Recorded.texts()
  }

  private func expect(_ actual: [Float], _ name: String) throws {
    let expected = try recorded.tensor(named: name).scalars(as: Double.self)
    let error = try recorded.tensor(named: "\(name).float32_error").scalars(as: Double.self)[0]
    let sizes = embedder.encoder.configuration
    let terms =
      sizes.numHiddenLayers * (7 * sizes.hiddenSize + sizes.intermediateSize + embedder.maximumLength)
      + embedder.maximumLength
    let largest = expected.map(\.magnitude).max() ?? 0
    let bound = 2 * error + Double(terms) * 0x1p-24 / (1 - Double(terms) * 0x1p-24) * largest
    try #require(actual.count == expected.count)
    let difference = zip(actual, expected).map { (Double($0) - $1).magnitude }.max() ?? 0
    #expect(difference <= bound, "\(name): PyTorch's error \(error), bound \(bound)")
    // The bound would let nothing pass that is not the result.
    #expect(largest > 1000 * bound, "\(name): bound \(bound)")
  }

  @Test("outputs of each text alone")
  func hidden() throws {
    try expect(texts.flatMap { embedder.encoder([$0.tokens]).scalars }, "hidden")
  }

  @Test("embeddings of all texts together")
  func embeddings() throws {
    let embeddings = try embedder(texts.map(\.text))
    #expect(embeddings.shape == [texts.count, 32])
    try expect(embeddings.scalars, "embeddings")
  }

  @Test("a padded batch gives the same bits as each sentence alone", arguments: [1, 2, 5, 32])
  func batches(size: Int) throws {
    let together = try embedder(texts.map(\.text), batchSize: size)
    let alone = try texts.flatMap { try embedder([$0.text]).scalars }
    #expect(together.scalars.map(\.bitPattern) == alone.map(\.bitPattern))
    #expect(Set(texts.map(\.tokens.count)).count > 5)
  }

  @Test("a padded batch in the order given gives the same bits")
  func padding() {
    let outputs = embedder.encoder(texts.map(\.tokens))
    let (length, width) = (outputs.shape[1], outputs.shape[2])
    for (index, text) in texts.enumerated() {
      let alone = embedder.encoder([text.tokens]).scalars.map(\.bitPattern)
      let start = index * length * width
      #expect(outputs.scalars[start..<start + alone.count].map(\.bitPattern) == alone, "\(text.text.debugDescription)")
    }
  }

  @Test("embeddings have length 1, and none of no sentences")
  func unitLength() throws {
    let embeddings = try embedder(["the cat", ""])
    let cosines = embeddings.similarities()
    // A sum of 32 squares, each of two roundings, in Float.
    #expect(abs(cosines[0, 0] - 1) < 34 * 0x1p-23 && abs(cosines[1, 1] - 1) < 34 * 0x1p-23)
    #expect(cosines[0, 1] == cosines[1, 0] && cosines[0, 1] < 0.999)
    #expect(try embedder([]).shape == [0, 32])
  }

  @Test("weights under `bert.`, with a head beside the encoder, give the same bits")
  func prefixed() throws {
    let model = try ModelCopy()
    try model.rewriteWeights(adding: [("cls.predictions.bias", [190])]) { ("bert.\($0)", $1) }
    let other = try SentenceEmbedder(contentsOf: model.path)
    #expect(try other(["the cat sat"]) == embedder(["the cat sat"]))
  }
}
