import Attention
import Foundation
import SentenceEmbedding

/// The cosines of sentences with each other: a row and a column each, the sentences beside their rows.
struct SimilarityTable: CustomStringConvertible {
  private let sentences: [String]
  private let similarities: Tensor

  init(_ sentences: [String], _ embeddings: Tensor) {
    self.sentences = sentences
    similarities = embeddings.similarities()
  }

  var description: String {
    let numbers = sentences.indices.map { String(format: "%7d", $0 + 1) }
    var table = "       " + numbers.joined() + "\n"
    for (row, sentence) in sentences.enumerated() {
      let cosines = sentences.indices.map { String(format: "%7.3f", similarities[row, $0]) }
      table += numbers[row] + cosines.joined() + "  " + oneLine(sentence) + "\n"
    }
    return sentences.isEmpty ? "" : table
  }
}
