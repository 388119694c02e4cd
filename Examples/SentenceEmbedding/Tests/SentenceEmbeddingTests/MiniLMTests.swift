import Attention
import Foundation
import Safetensors
import SentenceEmbedding
import Testing

private let model = ProcessInfo.processInfo.environment["SENTENCE_EMBEDDING_MODEL"]

/// all-MiniLM-L6-v2 itself, where SENTENCE_EMBEDDING_MODEL names its folder.
@Suite(
  "all-MiniLM-L6-v2", .enabled(if: model != nil, "SENTENCE_EMBEDDING_MODEL names no folder of all-MiniLM-L6-v2"))
struct MiniLMTests {
  @Test("cosine with PyTorch's embedding of each of 20 sentences at least 0.99999")
  func cosines() throws {
    let sentences = try Recorded.sentences()
    let file = try SafetensorsFile(contentsOf: Recorded.path("minilm.safetensors"))
    let expected = try file.tensor(named: "embeddings")
    try #require(sentences.count == 20 && expected.shape == [20, 384])
    let embedder = try SentenceEmbedder(contentsOf: try #require(model))
    let actual = try embedder(sentences)
    let recorded = expected.scalars(as: Double.self)
    for (index, sentence) in sentences.enumerated() {
      let a = actual.scalars[index * 384..<(index + 1) * 384].map(Double.init)
      let b = Array(recorded[index * 384..<(index + 1) * 384])
      func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
      let cosine = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
      // Both are float32 computations of six layers; they were seen to agree to 1 − 10⁻¹².
      #expect(cosine >= 0.99999, "\(sentence.prefix(60))")
    }
  }

  @Test("a padded batch gives the same bits as each sentence alone")
  func padding() throws {
    let sentences = try Recorded.sentences().filter { $0.utf8.count < 200 }
    let embedder = try SentenceEmbedder(contentsOf: try #require(model))
    let alone = try sentences.flatMap { try embedder([$0]).scalars }
    #expect(try embedder(sentences).scalars.map(\.bitPattern) == alone.map(\.bitPattern))
  }

  @Test("similar sentences are similar")
  func similar() throws {
    let cosines = try SentenceEmbedder(contentsOf: try #require(model))([
      "A man is eating food.", "A man is eating a piece of bread.", "The stock market fell sharply.",
    ]).similarities()
    #expect(cosines[0, 1] > 0.7 && cosines[0, 2] < 0.2)
  }
}
